/** Ties a channel to its SIP call and its media: what the far side does becomes state and events. */
import type { MediaLegHandlers, RemoteMedia } from '../media/api.ts';
import type { SipCallHandlers } from '../sip/call.ts';
import { isHold } from '../sip/sdp.ts';
import type { Channel } from './channel.ts';
import { emitChannelEvent, type SwitchContext } from './context.ts';
import { endedByFarSide, hangup, noteAnswered } from './lifecycle.ts';
import { receiveRefer } from './refer.ts';

/** FreeSWITCH counts a key press in samples of 8 kHz. */
const SAMPLES_PER_MS = 8;

/** What only an outbound leg needs to know beyond its events. */
export interface OutboundHooks {
  /** The far side sends sound before it answers. */
  onEarlyMedia(remote: RemoteMedia): void;
  onAnswered(): void;
  /** The leg is gone before or after the answer, with its cause word. */
  onEnded(cause: string): void;
}

const noHooks: OutboundHooks = {
  onEarlyMedia: () => undefined,
  onAnswered: () => undefined,
  onEnded: () => undefined,
};

function emitDigit(context: SwitchContext, channel: Channel, digit: string, durationMs: number, source: string): void {
  emitChannelEvent(context, 'DTMF', channel, [
    ['DTMF-Digit', digit],
    ['DTMF-Duration', String(Math.round(durationMs * SAMPLES_PER_MS))],
    ['DTMF-Source', source],
  ]);
}

/** The far side's media has changed; sendonly or inactive is the phone's own hold. */
function changeRemote(context: SwitchContext, channel: Channel, remote: RemoteMedia): void {
  channel.media?.setRemote(remote);
  const held = isHold(remote.direction);
  if (held === channel.held) return;
  channel.held = held;
  channel.callState = held ? 'HELD' : 'ACTIVE';
  channel.media?.setHeld(held);
  emitChannelEvent(context, held ? 'CHANNEL_HOLD' : 'CHANNEL_UNHOLD', channel);
}

/** What the media half tells about a leg. */
export function mediaHandlers(context: SwitchContext, channel: Channel): MediaLegHandlers {
  return {
    onDigit(digit, durationMs) {
      if (!channel.ended) emitDigit(context, channel, digit, durationMs, 'RTP');
    },
    onRtpTimeout() {
      context.log.info({ uuid: channel.uuid }, 'no sound from the phone for too long');
      hangup(context, channel, 'MEDIA_TIMEOUT');
    },
  };
}

/** What the SIP half tells about a leg. */
export function sipHandlers(context: SwitchContext, channel: Channel, hooks: OutboundHooks = noHooks): SipCallHandlers {
  return {
    onRinging() {
      if (channel.ended) return;
      channel.callState = 'RINGING';
      emitChannelEvent(context, 'CHANNEL_PROGRESS', channel);
    },
    onEarlyMedia(remote) {
      if (channel.ended) return;
      channel.answerState = 'early';
      channel.callState = 'EARLY';
      emitChannelEvent(context, 'CHANNEL_PROGRESS_MEDIA', channel);
      if (remote !== undefined) hooks.onEarlyMedia(remote);
    },
    onAnswered(remote) {
      if (channel.ended) return;
      channel.media?.setRemote(remote);
      noteAnswered(context, channel);
      hooks.onAnswered();
    },
    onRemoteMedia(remote) {
      if (!channel.ended) changeRemote(context, channel, remote);
    },
    onInfoDigit(digit, durationMs) {
      if (channel.ended) return;
      emitDigit(context, channel, digit, durationMs, 'ENDPOINT');
      channel.bridgedTo?.media?.sendDigit(digit, durationMs);
    },
    onRefer(refer, tell) {
      if (!channel.ended) receiveRefer(context, channel, refer, tell);
    },
    onEnded(end) {
      hooks.onEnded(endedByFarSide(context, channel, end));
    },
  };
}
