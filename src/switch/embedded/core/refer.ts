/**
 * A phone's REFER: its partner goes to the context `refer`, the phone's own leg waits for the outcome. What FreeSWITCH does
 * with `confirm-blind-transfer` (docs/switch-contract.md, "REFER").
 */
import type { Refer, ReferOutcome } from '../sip/refer.ts';
import { bridge, unbridge } from './bridge.ts';
import type { Channel, Referral } from './channel.ts';
import type { SwitchContext } from './context.ts';
import { disarmFallbacks, REFER_CONTEXT, transfer, waitForOutcome } from './places.ts';

/** Sends the partner of this leg away, or refuses: who talks to nobody has nobody to send. */
export function receiveRefer(
  context: SwitchContext,
  channel: Channel,
  refer: Refer,
  tell: (outcome: ReferOutcome) => void,
): void {
  const other = channel.bridgedTo;
  // Phones make no calls of their own here, so there is none that could replace this one.
  if (other === undefined || refer.replaces) {
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
