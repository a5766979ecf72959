/**
 * A phone's REFER: its partner goes to the context `refer`, the phone's own leg waits for the outcome. What FreeSWITCH does
 * with `confirm-blind-transfer` (docs/switch-contract.md, "REFER").
 */
import type { Refer, ReferOutcome } from '../sip/refer.ts';
import { bridge, unbridge } from './bridge.ts';
import type { Channel, Referral } from './channel.ts';
import type { SwitchContext } from './context.ts';
import { hangup } from './lifecycle.ts';
import { disarmFallbacks, goOnAfterBridge, HOUSE_CONTEXT, REFER_CONTEXT, transfer, waitForOutcome } from './places.ts';

/** Sends the partner of this leg away, or refuses: who talks to nobody has nobody to send. */
export function receiveRefer(
  context: SwitchContext,
  channel: Channel,
  refer: Refer,
  tell: (outcome: ReferOutcome) => void,
): void {
  if (refer.replaces !== undefined) {
    const two = toPutTogether(context, channel, refer.replaces);
    // The phone is told before its call ends.
    tell(two === undefined ? '403 Forbidden' : '200 OK');
    if (two !== undefined) putTogether(context, channel, two);
    return;
  }
  const other = channel.bridgedTo;
  if (other === undefined) {
    tell('403 Forbidden');
    return;
  }
  unbridge(context, channel, other);
  channel.leaveActivity();
  other.leaveActivity();
  waitForOutcome(context, channel);
  other.referral = referralOf(context, channel, other, tell);
  other.variables.set('blind_transfer_uuid', channel.uuid);
  other.variables.set('sip_refer_to', refer.referTo);
  transfer(context, other, refer.user, REFER_CONTEXT);
}

/** Two calls of a phone's, of which one leg waits and the other talks to a partner. */
interface TwoCalls {
  readonly waits: Channel;
  readonly talks: Channel;
  readonly partner: Channel;
}

/**
 * The two calls of an attended transfer (Refer-To with Replaces, RFC 3891). Of two that both talk FreeSWITCH bridges the
 * partners; here they are refused, and control asks for them on neither switch.
 * @returns undefined when there is no such call, when control does not allow it, or nobody to put through
 */
function toPutTogether(context: SwitchContext, channel: Channel, callId: string): TwoCalls | undefined {
  const named = [...context.channels.values()].find(
    (one) => one.sip?.callId === callId && one.identity.profile === 'agents',
  );
  if (named === undefined || named === channel) return undefined;
  const both = [channel, named];
  const talks = both.find((one) => one.bridgedTo !== undefined);
  const waits = both.find((one) => one.bridgedTo === undefined);
  const partner = talks?.bridgedTo;
  if (talks === undefined || partner === undefined || waits === undefined) return undefined;
  const isAllowed = (one: Channel): boolean => one.variables.get('deny_refer_requests') === 'false';
  return [...both, partner].every(isAllowed) ? { waits, talks, partner } : undefined;
}

/** As FreeSWITCH does it: the partner goes where the one that waits is; nobody has sent him away. The call that the REFER came on ends if it waited. */
function putTogether(context: SwitchContext, channel: Channel, { waits, talks, partner }: TwoCalls): void {
  unbridge(context, talks, partner);
  talks.leaveActivity();
  partner.leaveActivity();
  if (talks === channel) goOnAfterBridge(context, talks);
  else hangup(context, talks, 'ATTENDED_TRANSFER');
  transfer(context, partner, waits.destination, HOUSE_CONTEXT);
  hangup(context, waits, 'ATTENDED_TRANSFER');
}

/** A phone that has hung up meanwhile is told nothing, and nobody is put together with it. */
function referralOf(
  context: SwitchContext,
  phone: Channel,
  other: Channel,
  tell: (outcome: ReferOutcome) => void,
): Referral {
  const end = (outcome: ReferOutcome): boolean => {
    other.referral = undefined;
    if (!phone.ended) tell(outcome);
    return !phone.ended;
  };
  return {
    succeeded: () => {
      end('200 OK');
    },
    refused: () => {
      if (!end('403 Forbidden')) return;
      disarmFallbacks(phone);
      bridge(context, phone, other);
    },
  };
}
