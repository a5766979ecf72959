import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Result } from '../../src/kernel/result.ts';
import { backoffMs } from '../../src/switch/esl/backoff.ts';
import {
  apiCommand,
  authCommand,
  bgapiCommand,
  type EslCommand,
  eventCommand,
  sendMsgCommand,
} from '../../src/switch/esl/command.ts';
import { Fifo } from '../../src/switch/esl/fifo.ts';
import { Inbox } from '../../src/switch/esl/inbox.ts';
import { JobTable } from '../../src/switch/esl/jobs.ts';
import { ReplyQueue } from '../../src/switch/esl/replies.ts';
import { FrameReader } from '../../src/switch/esl/wire.ts';
import type { SwitchFailure } from '../../src/switch/port.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';

describe('commands', () => {
  const breaking = fc
    .tuple(fc.string(), fc.constantFrom('\r', '\n', '\u0000', '\n\napi shutdown'), fc.string())
    .map((parts) => parts.join(''));

  it('are refused when an argument holds a line break or NUL', () => {
    fc.assert(
      fc.property(breaking, (text) => {
        const made: Result<EslCommand, SwitchFailure>[] = [
          apiCommand(`uuid_kill ${text}`),
          bgapiCommand(`originate ${text}`, 'job'),
          bgapiCommand('originate x', text),
          sendMsgCommand('leg', { 'execute-app-arg': text }),
          sendMsgCommand('leg', { [text]: 'x' }),
          sendMsgCommand(text, {}),
          eventCommand('plain', [text]),
          authCommand(text),
        ];
        for (const command of made) expect(command).toMatchObject({ ok: false, error: { kind: 'bad-argument' } });
      }),
    );
  });

  it('are one frame each, whatever else they hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const command = sendMsgCommand('leg-1', { 'execute-app-arg': text });
        if (!command.ok) return;
        const { frames } = new FrameReader().push(Buffer.from(command.value.text, 'utf8'));
        expect(frames).toHaveLength(1);
        expect(frames[0]?.headers.firstLine).toBe('sendmsg leg-1');
      }),
    );
  });

  it('carry their headers', () => {
    expect(bgapiCommand('originate x', 'job-1')).toMatchObject({
      value: { text: 'api bgapi uuid:job-1 originate x\n\n', what: 'bgapi originate' },
    });
    expect(authCommand('secret')).toMatchObject({ value: { what: 'auth' } });
    expect(apiCommand(' ')).toMatchObject({ ok: false });
  });
});

describe('pairing replies with commands', () => {
  it('never gives a reply to another command, however late it comes', async () => {
    // Each command is sent, answered at some later time or never; answers keep the order of the commands.
    const plan = fc.array(
      fc.record({ gapMs: fc.nat(50), answerMs: fc.nat(300), deadlineMs: fc.integer({ min: 1, max: 200 }) }),
      {
        minLength: 1,
        maxLength: 40,
      },
    );
    await fc.assert(
      fc.asyncProperty(plan, async (commands) => {
        const clock = new ManualClock(0);
        const queue = new ReplyQueue(clock, 1000);
        const outcomes: Promise<string>[] = [];
        let sentAtMs = 0;
        let answeredAtMs = 0;
        const expected: string[] = [];
        for (const [index, command] of commands.entries()) {
          sentAtMs += command.gapMs;
          answeredAtMs = Math.max(answeredAtMs, sentAtMs + command.answerMs) + 1;
          const inTime = answeredAtMs < sentAtMs + command.deadlineMs;
          expected.push(inTime ? `answer ${index}` : 'deadline');
          clock.setTimer(sentAtMs, () => {
            const reply = queue.expect(`command ${index}`, command.deadlineMs);
            outcomes[index] = reply.then((result) => (result.ok ? result.value : result.error.kind));
          });
          const dueMs = answeredAtMs;
          clock.setTimer(dueMs, () => expect(queue.deliver(`answer ${index}`)).toBe(true));
        }
        await clock.advance(answeredAtMs + 1000);
        // A reply at the very moment of the deadline may go either way; the plan avoids none, so compare what is sure.
        const got = await Promise.all(outcomes);
        for (const [index, word] of got.entries()) {
          expect(word === `answer ${index}` || word === 'deadline').toBe(true);
          if (expected[index] !== 'deadline') expect(word).toBe(expected[index]);
        }
        expect(queue.size).toBe(0);
        expect(queue.deliver('one too many')).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps the place of a command whose time is up', async () => {
    const clock = new ManualClock();
    const queue = new ReplyQueue(clock, 10);
    const slow = queue.expect('slow', 200);
    await clock.advance(200);
    expect(await slow).toMatchObject({ error: { kind: 'deadline' } });
    const next = queue.expect('next', 200);
    expect(queue.size).toBe(2);
    queue.deliver('+OK slow');
    queue.deliver('+OK next');
    expect(await next).toEqual({ ok: true, value: '+OK next' });
  });

  it('fails all that wait when the link breaks, and is full at its limit', async () => {
    const clock = new ManualClock();
    const queue = new ReplyQueue(clock, 2);
    const both = [queue.expect('a', 1000), queue.expect('b', 1000)];
    expect(queue.full).toBe(true);
    queue.failAll('gone');
    for (const reply of await Promise.all(both)) expect(reply).toMatchObject({ error: { kind: 'link-down' } });
    expect(clock.waiting).toBe(0);
  });
});

describe('background jobs', () => {
  it('end by their own id, by their deadline, or with the link; nothing stays behind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('answers', 'never', 'late'), { maxLength: 50 }), async (fates) => {
        const clock = new ManualClock();
        const jobs = new JobTable(clock, 100);
        const results = fates.map((_, index) => jobs.expect(`job-${index}`, 1000));
        for (const [index, fate] of fates.entries()) {
          if (fate === 'answers') expect(jobs.deliverBody(`job-${index}`, `+OK ${index}`)).toBe(true);
        }
        await clock.advance(1000);
        for (const [index, result] of (await Promise.all(results)).entries()) {
          if (fates[index] === 'answers') expect(result).toEqual({ ok: true, value: `+OK ${index}` });
          else expect(result).toMatchObject({ error: { kind: 'deadline' } });
          expect(jobs.deliverBody(`job-${index}`, 'again')).toBe(false);
        }
        expect(jobs.size).toBe(0);
        expect(clock.waiting).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  it('are bounded', () => {
    const jobs = new JobTable(new ManualClock(), 1);
    void jobs.expect('a', 1000);
    expect(jobs.full).toBe(true);
    jobs.failAll('gone');
    expect(jobs.size).toBe(0);
  });
});

describe('the back-off', () => {
  it('grows from 100 ms to 5 s and is spread over its upper half', () => {
    const limits = { firstMs: 100, maxMs: 5000 };
    expect([0, 1, 2, 5, 6, 100].map((attempt) => backoffMs(limits, attempt, 1))).toEqual([
      100, 200, 400, 3200, 5000, 5000,
    ]);
    expect(backoffMs(limits, 0, 0)).toBe(50);
    expect(backoffMs(limits, 100, 0)).toBe(2500);
  });
});

describe('the queue', () => {
  it('gives back in order what it was given', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 500 }), (pushes) => {
        const fifo = new Fifo<number>();
        const model: number[] = [];
        for (const [index, push] of pushes.entries()) {
          if (push) {
            fifo.push(index);
            model.push(index);
          } else {
            expect(fifo.take()).toBe(model.shift());
          }
          expect(fifo.size).toBe(model.length);
        }
        expect(fifo.takeAll()).toEqual(model);
        expect(fifo.size).toBe(0);
      }),
    );
  });
});

describe('the inbox', () => {
  function make(consume: (item: number) => void | Promise<void>, highWater: number) {
    const calls: string[] = [];
    const inbox = new Inbox<number>(
      {
        consume,
        pause: () => calls.push('pause'),
        resume: () => calls.push('resume'),
        failed: (error) => calls.push(`failed ${String(error)}`),
      },
      highWater,
    );
    return { inbox, calls };
  }

  it('pauses the peer for a slow consumer, resumes it, and loses nothing', async () => {
    const seen: number[] = [];
    let release: (() => void)[] = [];
    const { inbox, calls } = make((item) => {
      seen.push(item);
      return new Promise((resolve) => release.push(resolve));
    }, 8);
    for (let item = 0; item < 12; item += 1) inbox.push(item);
    expect(seen).toEqual([0]);
    expect(calls).toEqual(['pause']);
    while (release.length > 0) {
      const now = release;
      release = [];
      for (const go of now) go();
      await settle();
    }
    expect(seen).toEqual(Array.from({ length: 12 }, (_, index) => index));
    expect(calls).toEqual(['pause', 'resume']);
  });

  it('goes on after a consumer that throws or rejects', async () => {
    const seen: number[] = [];
    const { inbox, calls } = make((item) => {
      seen.push(item);
      if (item === 0) throw new Error('thrown');
      return item === 1 ? Promise.reject(new Error('rejected')) : undefined;
    }, 8);
    for (let item = 0; item < 4; item += 1) inbox.push(item);
    await settle();
    expect(seen).toEqual([0, 1, 2, 3]);
    expect(calls).toEqual(['failed Error: thrown', 'failed Error: rejected']);
  });

  it('does not nest when the consumer itself adds', () => {
    const seen: number[] = [];
    let depth = 0;
    const { inbox } = make((item) => {
      depth += 1;
      expect(depth).toBe(1);
      seen.push(item);
      if (item < 3) inbox.push(item + 1);
      depth -= 1;
    }, 8);
    inbox.push(0);
    expect(seen).toEqual([0, 1, 2, 3]);
  });
});
