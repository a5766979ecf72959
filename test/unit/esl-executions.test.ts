import { describe, expect, it } from 'vitest';
import { Executions } from '../../src/switch/freeswitch/executions.ts';
import { ManualClock } from '../support/manual-clock.ts';

describe('an application whose end is waited for', () => {
  const begin = () => {
    const clock = new ManualClock();
    const executions = new Executions(clock);
    return { clock, executions, told: executions.completed('leg-1', 'id-1') };
  };

  it('has run when its own event says so', async () => {
    const { executions, told } = begin();
    executions.complete('id-2');
    executions.ended('leg-2');
    executions.complete('id-1');
    expect(await told).toEqual({ ok: true, value: undefined });
  });

  it('has not when its leg ends, the link breaks, or nothing is heard of it', async () => {
    const gone = begin();
    gone.executions.ended('leg-1');
    expect(await gone.told).toMatchObject({ ok: false, error: { kind: 'gone' } });

    const cut = begin();
    cut.executions.linkDown();
    expect(await cut.told).toMatchObject({ ok: false, error: { kind: 'link-down' } });

    const late = begin();
    await late.clock.advance(1_000);
    expect(await late.told).toMatchObject({ ok: false, error: { kind: 'deadline' } });
    late.executions.complete('id-1');
  });
});
