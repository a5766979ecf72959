import { err, ok, type Result } from '../../kernel/result.ts';
import type { SwitchFailure } from '../port.ts';
import { hasForbiddenCharacters } from './wire.ts';

/** A command that may be sent: its bytes as text, and a name for the log that holds no arguments. */
export interface EslCommand {
  readonly text: string;
  readonly what: string;
}

/** Longer than any command of ours; FreeSWITCH itself cuts a command at ten megabytes. */
const MAX_COMMAND_CHARACTERS = 64 * 1024;

/** What `sendmsg` carries besides the leg's UUID. */
export type MessageHeaders = Readonly<Record<string, string>>;

function refuse(message: string): Result<never, SwitchFailure> {
  return err({ kind: 'bad-argument', message });
}

/**
 * Builds one command from its line and headers. A line break or NUL in any of them would end the command early and
 * start another one, so such a command is refused, never escaped.
 */
function build(line: string, headers: MessageHeaders): Result<EslCommand, SwitchFailure> {
  const what = line
    .replace(/^api bgapi uuid:\S+/, 'bgapi')
    .split(' ', 2)
    .join(' ')
    .slice(0, 40);
  if (hasForbiddenCharacters(line)) return refuse('line break or NUL in a command');
  let text = `${line}\n`;
  for (const [name, value] of Object.entries(headers)) {
    if (hasForbiddenCharacters(name) || name === '' || name.includes(':')) return refuse(`bad header name in ${what}`);
    if (hasForbiddenCharacters(value)) return refuse(`line break or NUL in header ${name} of ${what}`);
    text += `${name}: ${value}\n`;
  }
  if (text.length > MAX_COMMAND_CHARACTERS) return refuse(`${what} is too long`);
  return ok({ text: `${text}\n`, what });
}

/** `api <line>`: answered by `api/response` when the switch has carried it out. */
export function apiCommand(line: string): Result<EslCommand, SwitchFailure> {
  return line.trim() === '' ? refuse('empty api command') : build(`api ${line}`, {});
}

/**
 * A background job: answered at once, its outcome is a BACKGROUND_JOB event with this Job-UUID. It is the API's own
 * `bgapi`, not the Event Socket's: FreeSWITCH can't load the Event Socket anew while a job of that one runs, and a phone
 * rings for half a minute (docs/adr/0015).
 */
export function bgapiCommand(line: string, jobUuid: string): Result<EslCommand, SwitchFailure> {
  if (!/^[\w-]{1,36}$/.test(jobUuid)) return refuse('not a job id');
  return line.trim() === '' ? refuse('empty bgapi command') : build(`api bgapi uuid:${jobUuid} ${line}`, {});
}

/** `sendmsg <leg>`: runs a dialplan application on a leg. */
export function sendMsgCommand(leg: string, headers: MessageHeaders): Result<EslCommand, SwitchFailure> {
  return /^[\w.-]{1,128}$/.test(leg) ? build(`sendmsg ${leg}`, headers) : refuse('not a leg id');
}

/** `event plain|json <names>`. */
export function eventCommand(format: 'plain' | 'json', names: readonly string[]): Result<EslCommand, SwitchFailure> {
  return build(`event ${format} ${names.join(' ')}`, {});
}

/** `auth <password>`. Its `what` holds no password. */
export function authCommand(password: string): Result<EslCommand, SwitchFailure> {
  if (password === '' || hasForbiddenCharacters(password)) return refuse('the password is empty or has a line break');
  return ok({ text: `auth ${password}\n\n`, what: 'auth' });
}
