/** The leader of two controls dies or freezes under a crowd of calls. */
import type { ServiceProcess } from '../../hotline/service-process.ts';
import { allInPlace, type Census, unchangedSince } from '../census.ts';
import { type Crowd, draftOf } from '../crowd.ts';
import { watchTalks } from '../talks.ts';
import { desksShow } from './control.ts';
import { type Figures, heardThroughout } from './figures.ts';

/** Longer than it may take, so that a benchmark has a figure for a slow one as well. */
const patienceMs = 20_000;
/** The exit code of a control that sees another one lead. */
const leadershipLost = 3;

/** The leader dies by `kill -9`; times count from its death. The one that died stands by at the end. */
export async function killLeader(crowd: Crowd, standby: ServiceProcess): Promise<Figures> {
  const leader = crowd.stage.service;
  const before = await allInPlace(crowd);
  const talks = watchTalks(crowd);
  await leader.kill();
  const figures = await takenOver(crowd, standby, before);
  const gapMs = heardThroughout(talks.end());
  await leader.startAsStandby();
  return { ...figures, gapMs };
}

/** The leader is frozen; woken, it changes nothing and ends. Times count from the freeze. */
export async function freezeLeader(crowd: Crowd, standby: ServiceProcess): Promise<Figures> {
  const leader = crowd.stage.service;
  const before = await allInPlace(crowd);
  const talks = watchTalks(crowd);
  leader.signal('SIGSTOP');
  sendLate(crowd);
  const figures = await takenOver(crowd, standby, before);
  leader.signal('SIGCONT');
  const code = await leader.ended();
  if (code !== leadershipLost) throw new Error(`the woken leader ended with ${code}`);
  await unchangedSince(crowd, before);
  const gapMs = heardThroughout(talks.end());
  await leader.startAsStandby();
  return { ...figures, gapMs };
}

/** What desks ask of a frozen leader lies in its sockets: it is what it does first when it wakes. */
function sendLate(crowd: Crowd): void {
  for (const call of crowd.attended) {
    const { callId, agent } = call;
    if (callId === undefined) continue;
    const body = { ...draftOf(call), content: '晚了' };
    agent?.seat.desk.send({
      kind: 'request',
      id: 'late-1',
      request: { do: 'saveDraft', callId, baseVersion: 1, body },
    });
    agent?.seat.desk.send({ kind: 'request', id: 'late-2', request: { do: 'hangup', callId } });
  }
}

async function takenOver(crowd: Crowd, standby: ServiceProcess, before: Census): Promise<Figures> {
  const startedAtMs = performance.now();
  const since = (): number => performance.now() - startedAtMs;
  await standby.leads(patienceMs);
  const leadsMs = since();
  crowd.stage.service = standby;
  await crowd.reopenDesks();
  const desksMs = since();
  await unchangedSince(crowd, before);
  await desksShow(crowd);
  return { leadsMs, desksMs };
}
