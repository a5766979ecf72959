/** Bridges: two legs talk to each other. */
import type { Channel } from './channel.ts';
import { emitChannelEvent, type SwitchContext } from './context.ts';
import { answer } from './lifecycle.ts';
import { goOnAfterBridge, transfer } from './places.ts';

function part(channel: Channel): void {
  channel.bridgedTo = undefined;
  channel.application = '';
  channel.applicationData = '';
  channel.media?.route({ kind: 'silent' });
}

/** Takes two legs apart; each is left without anything to do. */
export function unbridge(context: SwitchContext, a: Channel, b: Channel): void {
  part(a);
  part(b);
  emitChannelEvent(context, 'CHANNEL_UNBRIDGE', a, [
    ['Bridge-A-Unique-ID', a.uuid],
    ['Bridge-B-Unique-ID', b.uuid],
  ]);
}

/**
 * A phone that still rings can't talk, unless it sends sound already; a caller who waits for the answer gets it by being
 * connected.
 */
function canTalk(channel: Channel): boolean {
  const heard = channel.answered || channel.answerState === 'early' || channel.identity.direction === 'inbound';
  return !channel.ended && channel.media !== undefined && heard;
}

function bond(context: SwitchContext, channel: Channel, other: Channel, pair: readonly [Channel, Channel]): void {
  channel.bridgedTo = other;
  channel.state = 'CS_EXCHANGE_MEDIA';
  channel.application = 'uuid_bridge';
  channel.applicationData = other.uuid;
  channel.variables.set('bridge_uuid', other.uuid);
  channel.activity = { kind: 'bridge', leave: () => release(context, channel, other, pair) };
  if (other.media !== undefined) channel.media?.route({ kind: 'bridge', other: other.media });
}

/** Lets two legs talk to each other, whatever they did before. False when they can't. */
export function bridge(context: SwitchContext, a: Channel, b: Channel): boolean {
  if (a === b || !canTalk(a) || !canTalk(b) || !(a.answered || b.answered)) return false;
  if (a.bridgedTo === b) return true;
  a.leaveActivity();
  b.leaveActivity();
  if (a.ended || b.ended) return false;
  // Whoever was sent away by REFER has arrived.
  a.referral?.succeeded();
  b.referral?.succeeded();
  answer(context, a);
  answer(context, b);
  bond(context, a, b, [a, b]);
  bond(context, b, a, [a, b]);
  emitChannelEvent(context, 'CHANNEL_BRIDGE', a, [
    ['Bridge-A-Unique-ID', a.uuid],
    ['Bridge-B-Unique-ID', b.uuid],
  ]);
  return true;
}

/** One of two bridged legs leaves: the other one goes on by itself. */
function release(context: SwitchContext, leaver: Channel, stayer: Channel, pair: readonly [Channel, Channel]): void {
  if (leaver.bridgedTo !== stayer) return;
  unbridge(context, ...pair);
  goOnAfterBridge(context, stayer);
}

/** Moves both ends of a bridge to the same place (`uuid_transfer -both`). */
export function transferBoth(context: SwitchContext, channel: Channel, extension: string, place: string): void {
  const other = channel.bridgedTo;
  if (other !== undefined) {
    // Parted first, so that neither is sent to its after-bridge place on the way.
    unbridge(context, channel, other);
    transfer(context, other, extension, place);
  }
  transfer(context, channel, extension, place);
}
