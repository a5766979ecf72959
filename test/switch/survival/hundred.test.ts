import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allInPlace } from '../../support/crowd/census.ts';
import { Crowd } from '../../support/crowd/crowd.ts';
import { killControl, newCallsWithoutControl } from '../../support/crowd/faults/control.ts';
import { killPostgres } from '../../support/crowd/faults/postgres.ts';
import { killSwitch } from '../../support/crowd/faults/switch.ts';
import { freezeLeader, killLeader } from '../../support/crowd/faults/takeover.ts';
import { hundred } from '../../support/crowd/plan.ts';
import { sendHome } from '../../support/crowd/serve.ts';
import { switchKind } from '../../support/switch.ts';

const gatherMs = 90_000;
const faultMs = 150_000;
/** A machine of CI is shared and has two cores: five calls in each state there; elsewhere, and in the bench, a hundred. */
const calls = process.env.CI === undefined ? hundred : 45;
/** Issue 3, section 3; a machine that runs all the tests at once may take so many times as long. */
const backToWorkMs = 3_000;
const takeoverMs = 5_000;
const patience = 5;
/** Issue 3 asks for a minute. Every run of the tests can't wait so long: there it is as long as the agents need. */
const postgresAbsentMs = switchKind === 'freeswitch' ? 60_000 : 0;

/** A crowd for the tests around this call. Each fault waits first until the store has all of them in their places. */
function gathered(): { readonly crowd: Crowd } {
  let crowd: Crowd | undefined;
  beforeAll(async () => {
    crowd = await Crowd.gather(calls);
  }, gatherMs);
  afterAll(() => crowd?.close(), faultMs);
  return {
    get crowd() {
      if (crowd === undefined) throw new Error('the crowd has not gathered');
      return crowd;
    },
  };
}

/**
 * Issue 3, section 3: a hundred calls in all of their states at once, and real processes that die under them. The calls
 * go on from one test to the next, so each also proves that the last fault has left nothing behind that shows later.
 */
describe('a hundred calls in every state', { retry: 0 }, () => {
  const all = gathered();

  it(
    'outlive kill -9 of control: no gap, no lost place, no second offer, no lost draft; work goes on',
    async () => {
      const figures = await killControl(all.crowd);
      expect(figures.greetedMs).toBeLessThan(patience * backToWorkMs);
      expect(figures.desksMs).toBeLessThan(patience * backToWorkMs);
    },
    faultMs,
  );

  it(
    'go on while control stays dead; new callers are answered by the dialplan and are on the call-back list afterwards',
    async () => {
      await all.crowd.refresh();
      await newCallsWithoutControl(all.crowd, 8);
    },
    faultMs,
  );

  it(
    'outlive kill -9 of PostgreSQL: agents go on working, saving says so, everything is stored later, once',
    async () => {
      await all.crowd.refresh();
      await killPostgres(all.crowd, postgresAbsentMs);
    },
    faultMs + 60_000,
  );

  it(
    'are taken over by the standby when the leader dies or freezes; woken, it changes nothing',
    async () => {
      const standby = await all.crowd.stage.standby();
      await all.crowd.refresh();
      const died = await killLeader(all.crowd, standby);
      // The one that died stands by now.
      await all.crowd.refresh();
      const froze = await freezeLeader(all.crowd, all.crowd.stage.other(standby));
      expect(Math.max(died.leadsMs ?? 0, froze.leadsMs ?? 0)).toBeLessThan(takeoverMs);
    },
    faultMs,
  );

  it(
    'come to their ends: who waited first is served first, and no leg, seat or recording is left over',
    async () => {
      await allInPlace(all.crowd);
      await sendHome(all.crowd);
    },
    faultMs,
  );
});

describe('a hundred calls when the switch dies', { retry: 0 }, () => {
  const all = gathered();

  it(
    'end as upstream; citizens are on the call-back list, seats are free, work orders are kept, the next one is served',
    async () => {
      await killSwitch(all.crowd);
    },
    faultMs,
  );
});
