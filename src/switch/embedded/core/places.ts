/** The dialplan: what each extension does with a leg (contract, "Dialplan places"). */
import { join } from 'node:path';
import type { Channel } from './channel.ts';
import { joinConference } from './conference.ts';
import type { SwitchContext } from './context.ts';
import { answer, hangup, ringReady } from './lifecycle.ts';
import { park } from './park.ts';
import { startRecording } from './recording.ts';
import { readSupervisePlace, supervise } from './supervise.ts';

/** The context that control moves legs around in. */
export const HOUSE_CONTEXT = 'yihaotong';
/** Where a phone's REFER leads, whatever it names. */
export const REFER_CONTEXT = 'refer';
const FALLBACK_RECORDING_MS = 120_000;
const CONFERENCE_PREFIX = 'conf-';

/**
 * `sched_transfer`: if nobody disarms it, the leg goes to that place, whatever it does by then. Several of one leg don't
 * replace each other; all are in the group of its UUID.
 */
export function scheduleTransfer(
  context: SwitchContext,
  channel: Channel,
  delayMs: number,
  extension: string,
  place: string,
): void {
  const timer = context.clock.setTimer(delayMs, () => {
    channel.fallbacks.delete(timer);
    context.log.warn({ uuid: channel.uuid, extension }, 'nobody has put this transfer off: the leg goes');
    transfer(context, channel, extension, place);
  });
  channel.fallbacks.add(timer);
}

/** The dialplan's own way out for a leg that it parks. */
function armFallback(context: SwitchContext, channel: Channel, delayMs: number, extension: string): void {
  disarmFallbacks(channel);
  scheduleTransfer(context, channel, delayMs, extension, HOUSE_CONTEXT);
}

/** `sched_del`: disarms all fallbacks of a leg and says how many there were. */
export function disarmFallbacks(channel: Channel): number {
  const count = channel.fallbacks.size;
  for (const timer of channel.fallbacks) timer.cancel();
  channel.fallbacks.clear();
  return count;
}

/** All that control finds when it comes back: when, who, which number, which leg. No caller writes into a path. */
function fallbackFile(context: SwitchContext, channel: Channel): string {
  const epochS = Math.floor(context.clock.now() / 1000);
  const caller = /^[0-9]{1,20}$/.test(channel.callerNumber) ? channel.callerNumber : 'anonymous';
  return `${epochS}_${caller}_${channel.variables.get('yht_dialled') ?? ''}_${channel.uuid}.wav`;
}

/** What becomes of a citizen whom control doesn't take: a message, time to speak, the end; all of it recorded. */
function treatCitizen(context: SwitchContext, channel: Channel): void {
  disarmFallbacks(channel);
  const { recordingsFolder, promptsFolder } = context.config();
  if (!answer(context, channel)) {
    hangup(context, channel, 'NORMAL_TEMPORARY_FAILURE');
    return;
  }
  let present = true;
  const path = join(recordingsFolder, 'fallback', fallbackFile(context, channel));
  channel.activity = {
    kind: 'fallback',
    leave: () => {
      present = false;
      channel.application = '';
      channel.applicationData = '';
      channel.media?.stopPlaying();
      channel.media?.stopRecording(path);
    },
  };
  channel.state = 'CS_EXECUTE';
  channel.application = 'playback';
  channel.applicationData = join(promptsFolder, 'fallback.wav');
  channel.media?.route({ kind: 'silent' });
  // Recorded from the first moment: who hangs up during the message is called back as well.
  startRecording(context, channel, { path, stereo: true, maxDurationMs: 0 });
  const speakingTime = `silence_stream://${FALLBACK_RECORDING_MS}`;
  channel.media?.play({
    sources: [join(promptsFolder, 'fallback.wav'), speakingTime],
    loops: 1,
    onEnded: (result) => {
      if (result.reason === 'missing') context.log.error({ file: result.missing }, 'the fallback prompt is missing');
      if (present) hangup(context, channel, 'NORMAL_CLEARING');
    },
  });
}

/** A caller to a hotline number. */
function receiveCitizen(context: SwitchContext, channel: Channel): void {
  const { variables } = channel;
  variables.set('yht_role', 'citizen');
  variables.set('yht_dialled', channel.destination);
  ringReady(context, channel);
  armFallback(context, channel, context.config().citizenFallbackMs, 'fallback-citizen');
  park(context, channel);
}

/** What a phone may dial at all; anything else is refused at once. */
const DIALLED = /^[0-9*#]{1,20}$/;
const AGENTS_CONTEXT = 'agents';

/** Whether a phone's own call is kept until control has decided. */
export const isDialled = (channel: Channel): boolean =>
  channel.context === AGENTS_CONTEXT && DIALLED.test(channel.destination);

/** A phone calls by itself: control takes the call, or it ends. */
function receivePhone(context: SwitchContext, channel: Channel): void {
  if (channel.destination === 'untaken') {
    hangup(context, channel, 'NORMAL_TEMPORARY_FAILURE', 503);
    return;
  }
  if (!isDialled(channel)) {
    hangup(context, channel, 'CALL_REJECTED', 403);
    return;
  }
  channel.variables.set('yht_role', 'agent');
  channel.variables.set('yht_dialled', channel.destination);
  scheduleTransfer(context, channel, context.config().citizenFallbackMs, 'untaken', AGENTS_CONTEXT);
  park(context, channel);
}

function enterHouse(context: SwitchContext, channel: Channel, extension: string): void {
  const supervising = readSupervisePlace(extension);
  if (extension === 'parked') {
    const role = channel.variables.get('yht_role') ?? '';
    armFallback(context, channel, context.config().parkedFallbackMs, `fallback-${role}`);
    park(context, channel);
  } else if (supervising !== undefined) {
    supervise(context, channel, supervising, () => transfer(context, channel, 'parked', HOUSE_CONTEXT));
  } else if (extension.startsWith(CONFERENCE_PREFIX) && extension.length > CONFERENCE_PREFIX.length) {
    joinConference(context, channel, extension.slice(CONFERENCE_PREFIX.length), (left) =>
      transfer(context, left, 'parked', HOUSE_CONTEXT),
    );
  } else if (extension === 'fallback-citizen') treatCitizen(context, channel);
  else if (extension.startsWith('fallback-')) hangup(context, channel, 'NORMAL_CLEARING');
  else hangup(context, channel, 'NO_ROUTE_DESTINATION');
}

/** The phone that has sent a leg away waits for the outcome, with a way out like everybody who waits. */
export function waitForOutcome(context: SwitchContext, channel: Channel): void {
  armFallback(context, channel, context.config().parkedFallbackMs, 'fallback-agent');
  park(context, channel);
}

/** A leg that a phone has sent away: control decides, else the phone is refused and the two talk on. */
function enterRefer(context: SwitchContext, channel: Channel, extension: string): void {
  if (extension === 'refused') {
    channel.referral?.refused();
    // The phone has hung up meanwhile.
    if (channel.bridgedTo === undefined) transfer(context, channel, 'parked', HOUSE_CONTEXT);
    return;
  }
  disarmFallbacks(channel);
  scheduleTransfer(context, channel, context.config().citizenFallbackMs, 'refused', REFER_CONTEXT);
  park(context, channel);
}

/** Runs the dialplan for a leg that has left what it did before. */
export function enterPlace(context: SwitchContext, channel: Channel): void {
  if (channel.ended) return;
  const { destination } = channel;
  channel.state = 'CS_ROUTING';
  if (channel.context === HOUSE_CONTEXT) enterHouse(context, channel, destination);
  else if (channel.context === REFER_CONTEXT) enterRefer(context, channel, destination);
  else if (channel.context === AGENTS_CONTEXT) receivePhone(context, channel);
  else if (context.config().hotlineNumbers.includes(destination)) receiveCitizen(context, channel);
  else hangup(context, channel, 'UNALLOCATED_NUMBER');
}

/** Moves a leg to a place. */
export function transfer(context: SwitchContext, channel: Channel, extension: string, place: string): void {
  if (channel.ended) return;
  channel.leaveActivity();
  // Leaving may itself have ended the leg.
  if (channel.ended) return;
  channel.destination = extension;
  channel.context = place;
  enterPlace(context, channel);
}

/** Where a leg goes whose partner is gone: `transfer_after_bridge`, else it ends. */
export function goOnAfterBridge(context: SwitchContext, channel: Channel): void {
  if (channel.ended) return;
  const [extension = '', , place = HOUSE_CONTEXT] = (channel.variables.get('transfer_after_bridge') ?? '').split(':');
  if (extension === '') {
    hangup(context, channel, 'NORMAL_CLEARING');
    return;
  }
  transfer(context, channel, extension, place);
}
