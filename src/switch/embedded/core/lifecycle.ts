/** How a channel is answered and how it ends. */

import { withDeadline } from '../../../kernel/deadline.ts';
import { errorChain } from '../../../kernel/errors.ts';
import type { LocalMedia, SipEnd } from '../sip/call.ts';
import { InboundCall } from '../sip/inbound-call.ts';
import { causeNumber, causeOfNumber, causeOfStatus, q850OfCause, statusOfCause } from './causes.ts';
import type { Channel } from './channel.ts';
import { emitChannelEvent, type SwitchContext } from './context.ts';
import type { HeaderList } from './events.ts';

/** How long the end of a leg waits for its recordings' files to be complete. */
const RECORDING_CLOSE_DEADLINE_MS = 2_000;

/** Where the channel's own media is, as the far side should see it. */
export function localMedia(channel: Channel): LocalMedia | undefined {
  const address = channel.variables.get('local_media_ip');
  return channel.media === undefined || address === undefined ? undefined : { address, port: channel.media.localPort };
}

/** Sends 180 to an unanswered caller. */
export function ringReady(context: SwitchContext, channel: Channel): void {
  if (!(channel.sip instanceof InboundCall) || channel.answerState !== 'ringing') return;
  channel.callState = 'RINGING';
  channel.sip.ring();
  emitChannelEvent(context, 'CHANNEL_PROGRESS', channel);
}

/** Lets an unanswered caller hear before the answer (183), as far as his INVITE allows it. */
export function preAnswer(context: SwitchContext, channel: Channel): void {
  const media = localMedia(channel);
  if (!(channel.sip instanceof InboundCall) || channel.answerState !== 'ringing' || media === undefined) return;
  const { remote } = channel.sip;
  if (remote === undefined) return;
  channel.media?.setRemote(remote);
  channel.sip.startEarlyMedia(media);
  channel.answerState = 'early';
  channel.callState = 'EARLY';
  emitChannelEvent(context, 'CHANNEL_PROGRESS_MEDIA', channel);
}

/** Marks a leg as answered and tells it. */
export function noteAnswered(context: SwitchContext, channel: Channel): void {
  channel.answerState = 'answered';
  channel.callState = 'ACTIVE';
  channel.answeredAtMs = context.clock.now();
  channel.variables.set('answer_epoch', String(Math.floor(channel.answeredAtMs / 1000)));
  emitChannelEvent(context, 'CHANNEL_ANSWER', channel);
}

/** Answers an inbound leg; does nothing when it is answered already. False when it can't be. */
export function answer(context: SwitchContext, channel: Channel): boolean {
  if (channel.ended) return false;
  if (channel.answered) return true;
  const media = localMedia(channel);
  if (!(channel.sip instanceof InboundCall) || media === undefined) return false;
  const { remote, usable } = channel.sip;
  if (!usable) {
    // The offer holds no codec of ours (contract: 488 at the answer).
    hangup(context, channel, 'INCOMPATIBLE_DESTINATION');
    return false;
  }
  if (remote !== undefined) channel.media?.setRemote(remote);
  channel.sip.answer(media);
  noteAnswered(context, channel);
  return true;
}

function setEndVariables(context: SwitchContext, channel: Channel, cause: string, end: SipEnd): void {
  const { variables } = channel;
  const now = context.clock.now();
  variables.set('hangup_cause', cause);
  variables.set('hangup_cause_q850', String(q850OfCause(cause)));
  variables.set('sip_hangup_disposition', end.disposition);
  if (end.status !== undefined) {
    variables.set('sip_term_status', String(end.status));
    const failed = end.status >= 300 && channel.identity.direction === 'outbound';
    if (failed) variables.set('sip_invite_failure_status', String(end.status));
  }
  variables.set('end_epoch', String(Math.floor(now / 1000)));
  variables.set('duration', String(Math.floor((now - channel.identity.createdAtMs) / 1000)));
  const talkedMs = channel.answeredAtMs === 0 ? 0 : now - channel.answeredAtMs;
  variables.set('billsec', String(Math.floor(talkedMs / 1000)));
  variables.set('billmsec', String(talkedMs));
}

function noteMediaStatistics(channel: Channel): void {
  const stats = channel.media?.stats();
  if (stats === undefined) return;
  channel.variables.set('rtp_audio_in_packet_count', String(stats.packetsReceived));
  channel.variables.set('rtp_audio_out_packet_count', String(stats.packetsSent));
  channel.variables.set('rtp_audio_in_skip_packet_count', String(stats.packetsLost));
}

/** Takes the leg out of everything, then tells its end when its recordings' files are complete. */
function dismantle(context: SwitchContext, channel: Channel, cause: string, end: SipEnd): void {
  channel.ended = true;
  context.channels.delete(channel.uuid);
  for (const timer of channel.fallbacks) timer.cancel();
  channel.fallbacks.clear();
  channel.state = 'CS_HANGUP';
  channel.callState = 'HANGUP';
  channel.leaveActivity();
  channel.dismissSupervisor?.();
  channel.answerState = 'hangup';
  setEndVariables(context, channel, cause, end);
  noteMediaStatistics(channel);
  channel.media?.close();
  const tell = (): void => {
    channel.state = 'CS_REPORTING';
    const extra: HeaderList = [['Hangup-Cause', cause]];
    emitChannelEvent(context, 'CHANNEL_HANGUP_COMPLETE', channel, extra);
    context.onChannelGone();
  };
  if (channel.recordings.size === 0) {
    tell();
    return;
  }
  const files = Promise.all(channel.recordings.values());
  withDeadline('closing the recordings', RECORDING_CLOSE_DEADLINE_MS, files).then(tell, (error: unknown) => {
    context.log.warn({ uuid: channel.uuid, error: errorChain(error) }, 'a recording is not complete at the hangup');
    tell();
  });
}

/**
 * Ends a leg from our side with a cause word; a word that is unknown counts as NORMAL_CLEARING. An unanswered caller is
 * told `sipStatus`, by default the one that fits the cause.
 */
export function hangup(context: SwitchContext, channel: Channel, cause: string, sipStatus?: number): void {
  if (channel.ended) return;
  const word = causeNumber(cause) === undefined ? 'NORMAL_CLEARING' : cause;
  const reason = { sipStatus: sipStatus ?? statusOfCause(word), q850: q850OfCause(word), word };
  const end: SipEnd = channel.sip?.hangup(reason) ?? { disposition: 'none' };
  dismantle(context, channel, word, end);
}

/** The cause of an end that came from the far side or from silence. */
export function causeOfEnd(end: SipEnd): string {
  if (end.timedOut === true) return 'RECOVERY_ON_TIMER_EXPIRE';
  if (end.disposition === 'recv_cancel') return 'ORIGINATOR_CANCEL';
  if (end.q850 !== undefined) return causeOfNumber(end.q850);
  if (end.disposition === 'recv_bye' || end.disposition === 'send_bye') return 'NORMAL_CLEARING';
  return end.status === undefined ? 'NORMAL_TEMPORARY_FAILURE' : causeOfStatus(end.status);
}

/** The far side ended the leg, or it could not be reached. Gives the cause word. */
export function endedByFarSide(context: SwitchContext, channel: Channel, end: SipEnd): string {
  const cause = causeOfEnd(end);
  if (!channel.ended) dismantle(context, channel, cause, end);
  return cause;
}
