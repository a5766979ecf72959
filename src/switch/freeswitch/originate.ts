import { err, ok, type Result } from '../../kernel/result.ts';
import type { DialTarget, OriginateRequest, SwitchFailure } from '../port.ts';

/** Names and numbers that stand in a dial string: nothing in them means anything to FreeSWITCH's parsers. */
const DIAL_WORD = /^[A-Za-z0-9_.+*#-]{1,64}$/;
/**
 * A contact as a dial string may carry it: no character that cuts (`,` `|` `:_:`), groups or expands. What a phone
 * wrote into its Contact otherwise is refused; it can't be rung from other nodes then.
 */
const DIAL_CONTACT =
  /^sips?:[A-Za-z0-9_.+*#%~-]{1,128}@[A-Za-z0-9.-]{1,253}(:\d{1,5})?(;[A-Za-z0-9_.-]{1,40}(=[A-Za-z0-9_.:@%~+*-]{1,400})?){0,12}$/;
const VARIABLE_NAME = /^[A-Za-z0-9_.-]{1,128}$/;
/** A leg that control never takes is ended by the switch itself. */
const PARK_TIMEOUT_S = 20;
const MAX_VALUE_CHARACTERS = 512;

/** The full-width form of an ASCII character: looks alike on a Chinese phone and means nothing to a parser. */
const fullWidth = (character: string): string => String.fromCharCode(character.charCodeAt(0) + 0xfee0);

function bracesBalance(value: string): boolean {
  let depth = 0;
  for (const character of value) {
    if (character === '{') depth += 1;
    if (character === '}') depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

/**
 * Replaces what `{name=value}` of originate can't carry: control characters become spaces; `${` (would be expanded),
 * `:_:` (would split the command into several originates) and braces that don't balance (FreeSWITCH counts them
 * without regard to quotes) get their full-width form. Spaces at the ends are cut, as FreeSWITCH does.
 */
export function expressible(value: string): string {
  const spaced = value
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, MAX_VALUE_CHARACTERS);
  // A round trip through bytes replaces half characters, which a cut or a bad source may leave.
  const whole = Buffer.from(spaced, 'utf8').toString('utf8').trim();
  const tame = whole.replaceAll(/\$(?=\{)/g, fullWidth).replaceAll(/:_(?=:)/g, ':＿');
  return bracesBalance(tame) ? tame : tame.replaceAll(/[{}]/g, fullWidth);
}

/**
 * Makes a value safe for the display name of a SIP From header, which FreeSWITCH puts between double quotes as it
 * is and URL-decodes before that (mod_sofia's sofia_glue_do_invite).
 */
export function displayName(value: string): string {
  return expressible(value.replaceAll(/["\\]/g, fullWidth).replaceAll(/%(?=[0-9A-Fa-f]{2})/g, fullWidth));
}

/** Escapes for one pass of FreeSWITCH's switch_separate_string, which takes one level of `\` and `'` away. */
function escapeOnce(text: string, also: RegExp): string {
  return text.replaceAll(also, (character) => (character === ' ' ? '\\s' : `\\${character}`));
}

/**
 * Writes one variable as it must stand inside `{…}` of an originate command. FreeSWITCH cuts that text three times,
 * at spaces, commas and the first `=`, and unescapes at each cut (switch_event_create_brackets). Values without
 * quotes and backslashes are written the short way: in quotes, with `\,` for a comma.
 */
export function encodeVariable(name: string, value: string): string {
  if (!/['\\]/.test(value)) {
    return /[ ,]/.test(value) ? `${name}='${value.replaceAll(',', '\\,')}'` : `${name}=${value}`;
  }
  const atEquals = escapeOnce(value, /['\\]/g);
  const atCommas = escapeOnce(`${name}=${atEquals}`, /['\\,]/g);
  return escapeOnce(atCommas, /['\\ ]/g);
}

/** The dial string of a target, or why there is none. */
function dialString(target: DialTarget, domain: string): Result<string, SwitchFailure> {
  if (target.kind === 'contact') {
    return DIAL_CONTACT.test(target.contact) && DIAL_WORD.test(target.user)
      ? ok(`sofia/agents/${target.contact}`)
      : err({ kind: 'bad-argument', message: `can't be dialled: ${JSON.stringify(target.contact.slice(0, 120))}` });
  }
  const words = target.kind === 'phone' ? [target.user, domain] : [target.gateway, target.number];
  if (!words.every((word) => DIAL_WORD.test(word))) {
    return err({ kind: 'bad-argument', message: `can't be dialled: ${JSON.stringify(words.join(' ').slice(0, 80))}` });
  }
  return ok(
    target.kind === 'phone'
      ? `sofia/agents/${target.user}%${domain}`
      : `sofia/gateway/${target.gateway}/${target.number}`,
  );
}

/**
 * The whole `originate` command (without `bgapi`) that rings a phone and parks it when it answers.
 * @param domain the SIP domain under which phones register
 */
export function originateLine(request: OriginateRequest, domain: string): Result<string, SwitchFailure> {
  const dial = dialString(request.target, domain);
  if (!dial.ok) return dial;
  // FreeSWITCH counts in whole seconds of the wall clock and ends up to one second early; ringing too short loses
  // calls, ringing a little longer does not.
  const seconds = Math.max(1, Math.ceil(request.ringTimeoutMs / 1000)) + 1;
  const variables: [string, string][] = [
    ['origination_uuid', request.leg],
    ['originate_timeout', String(seconds)],
    ['ignore_early_media', request.earlyMedia === true ? 'false' : 'true'],
    ['origination_caller_id_number', expressible(request.callerNumber)],
    ['origination_caller_id_name', displayName(request.callerName)],
    ['yht_role', request.role],
    ['yht_call', request.callId],
    ['yht_dialled', request.target.kind === 'gateway' ? request.target.number : request.target.user],
    ['RECORD_STEREO', 'true'],
    ['transfer_after_bridge', 'parked:XML:yihaotong'],
    ['park_timeout', `${PARK_TIMEOUT_S + (request.earlyMedia === true ? seconds : 0)}:NORMAL_CLEARING`],
    // The switch's limits are for those who call in. A caller who was let in never lacks the leg of his agent.
    ['no_throttle_limits', 'true'],
  ];
  for (const [name, value] of Object.entries(request.sipHeaders ?? {})) {
    variables.push([`sip_h_${name}`, expressible(value)]);
  }
  const bad = variables.find(([name]) => !VARIABLE_NAME.test(name));
  if (bad !== undefined) return err({ kind: 'bad-argument', message: `bad SIP header name ${JSON.stringify(bad[0])}` });
  const given = variables.filter(([, value]) => value !== '');
  return ok(`originate {${given.map(([name, value]) => encodeVariable(name, value)).join(',')}}${dial.value} &park()`);
}
