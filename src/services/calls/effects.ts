import type { Call, Effect } from '../../domain/call/call.ts';
import { legOf } from '../../domain/call/moves.ts';
import { err, ok } from '../../kernel/result.ts';
import type { Sound, SwitchFailure, SwitchReply, TelephoneSwitch } from '../../switch/port.ts';

/** The effects that are commands to the switch; the others are carried out by the runtime itself. */
export type SwitchEffect = Extract<
  Effect,
  {
    do:
      | 'answer'
      | 'playCitizen'
      | 'stopCitizen'
      | 'ringback'
      | 'originateAgent'
      | 'originateSubcentre'
      | 'originateSupervisor'
      | 'supervise'
      | 'bridge'
      | 'answerRefer'
      | 'takeLine'
      | 'attendedTransfer'
      | 'park'
      | 'join'
      | 'hangup'
      | 'record';
  }
>;

export interface SwitchEffectContext {
  readonly telephone: TelephoneSwitch;
  readonly promptPath: (id: string) => string;
  readonly ringTimeoutMs: number;
  readonly consultRingTimeoutMs: number;
  readonly hotlineNumber: string;
}

const missing = (what: string): SwitchReply =>
  Promise.resolve(
    err({ kind: 'gone', message: `${what}: the leg is not part of the call any more` } satisfies SwitchFailure),
  );

const promptsToSounds = (prompts: readonly string[], context: SwitchEffectContext): Sound[] =>
  prompts.map((id) => ({ kind: 'file', path: context.promptPath(id) }));

/** The name of the call's conference room on the switch. */
export const conferenceName = (call: Call): string => call.id;

/** Whether commands about this leg have a way to the switch now. */
export const reaches = (telephone: TelephoneSwitch, leg: string): boolean =>
  telephone.reaches?.(leg) ?? telephone.connected;

/** For commands that do no harm when they are carried out twice: without an answer they are given once more. */
async function twiceAtMost(command: () => SwitchReply): SwitchReply {
  const reply = await command();
  return !reply.ok && reply.error.kind === 'deadline' ? command() : reply;
}

/** Where a leg that has gone already is what was wanted. */
async function unlessGone(command: SwitchReply): SwitchReply {
  const reply = await command;
  return !reply.ok && reply.error.kind === 'gone' ? ok(undefined) : reply;
}

/** All at once, in this order; the first failure counts. */
async function allOf(commands: readonly (() => SwitchReply)[]): SwitchReply {
  const replies = await Promise.all(commands.map((command) => unlessGone(twiceAtMost(command))));
  return replies.find((reply) => !reply.ok) ?? ok(undefined);
}

/** Sends one command to the switch, in the words of its port. */
export function runSwitchEffect(effect: SwitchEffect, call: Call, context: SwitchEffectContext): SwitchReply {
  const { telephone } = context;
  switch (effect.do) {
    case 'answer':
      return telephone.answer(call.citizenLeg);
    case 'playCitizen':
      return telephone.play({
        leg: call.citizenLeg,
        playId: effect.playId,
        sounds: promptsToSounds(effect.prompts, context),
        forever: effect.forever,
      });
    case 'stopCitizen':
      return telephone.stopPlaying(call.citizenLeg);
    case 'ringback':
      if (call.agent === null) return missing('ringback');
      return telephone.play({
        leg: call.agent.leg,
        playId: `${call.consult?.leg ?? call.id}-rb`,
        sounds: [{ kind: 'ringback' }],
        forever: true,
      });
    case 'originateAgent':
      if (call.agent === null) return missing('originate to the agent');
      return telephone.originate({
        leg: call.agent.leg,
        target: { kind: 'phone', user: call.agent.extension },
        role: 'agent',
        beside: call.citizenLeg,
        callId: call.id,
        callerNumber: call.callerNumber,
        callerName: call.callerName,
        ringTimeoutMs: context.ringTimeoutMs,
        sipHeaders: { 'X-Yht-Call': call.id },
      });
    case 'originateSubcentre': {
      if (call.consult === null) return missing('originate to the sub-centre');
      const { leg, gateway, number } = call.consult;
      return telephone.originate({
        leg,
        target: gateway === null ? { kind: 'phone', user: number } : { kind: 'gateway', gateway, number },
        role: 'subcentre',
        beside: call.citizenLeg,
        callId: call.id,
        // The sub-centre sees who asks: the hotline; the citizen's number goes along in a header and on the desk.
        callerNumber: context.hotlineNumber,
        callerName: '12345',
        ringTimeoutMs: context.consultRingTimeoutMs,
        // An outside line speaks before it answers: ringing in its own way, "the number has changed".
        earlyMedia: true,
        sipHeaders: { 'X-Yht-Call': call.id, 'X-Yht-Citizen': call.callerNumber },
      });
    }
    case 'originateSupervisor': {
      if (call.supervisor === null) return missing('originate to the supervisor');
      const { leg, extension } = call.supervisor;
      return telephone.originate({
        leg,
        target: { kind: 'phone', user: extension },
        role: 'supervisor',
        beside: call.citizenLeg,
        callId: call.id,
        // Whom he is about to hear is on his desk; the citizen's number is no matter of his phone.
        callerNumber: context.hotlineNumber,
        callerName: '监听',
        ringTimeoutMs: context.ringTimeoutMs,
        sipHeaders: { 'X-Yht-Call': call.id },
      });
    }
    case 'supervise': {
      if (call.supervisor === null) return missing('supervise');
      const { leg, agentLeg, mode } = call.supervisor;
      return telephone.supervise(leg, agentLeg, mode);
    }
    case 'bridge': {
      const a = legOf(call, effect.a);
      const b = legOf(call, effect.b);
      return a === null || b === null ? missing('bridge') : telephone.bridge(a, b);
    }
    case 'answerRefer': {
      const leg = legOf(call, effect.role);
      return leg === null ? missing('answer to a REFER') : telephone.answerRefer(leg, effect.by, effect.accepted);
    }
    case 'takeLine':
      return call.agent === null ? missing('take a line') : telephone.takeLine(call.agent.leg, call.id);
    case 'attendedTransfer':
      return allOf(effect.legs.map((leg) => () => telephone.attendedTransfer(leg, effect.allowed)));
    case 'park': {
      const leg = legOf(call, effect.role);
      return leg === null ? missing('park') : twiceAtMost(() => telephone.park(leg, effect.both));
    }
    case 'join': {
      const leg = legOf(call, effect.role);
      return leg === null ? missing('join') : telephone.joinConference(leg, conferenceName(call), effect.both);
    }
    case 'hangup':
      return unlessGone(twiceAtMost(() => telephone.hangup(effect.leg, effect.cause)));
    case 'record':
      return telephone.startRecording(call.citizenLeg, effect.path);
  }
}
