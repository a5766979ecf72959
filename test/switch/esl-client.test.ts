import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/kernel/clock.ts';
import { randomIds } from '../../src/kernel/ids.ts';
import { EslClient, type EslClientOptions, type EslListener } from '../../src/switch/esl/client.ts';
import type { EslEvent } from '../../src/switch/esl/event.ts';
import { createFreeSwitch } from '../../src/switch/freeswitch/adapter.ts';
import type { LinkEvent, RegistrationEvent, SwitchEvent, TelephoneSwitch } from '../../src/switch/port.ts';
import { Notes } from '../support/esl-notes.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordedLog } from '../support/recorded-log.ts';
import { type Script, ScriptedEslServer } from '../support/scripted-esl-server.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(...scripts: Script[]): Promise<ScriptedEslServer> {
  const server = await ScriptedEslServer.start(...scripts);
  closers.push(() => server.close());
  return server;
}

function connect(
  server: ScriptedEslServer,
  change: Partial<EslClientOptions> = {},
  listener: EslListener = new Notes(),
) {
  const log = new RecordedLog();
  const client = new EslClient({
    host: '127.0.0.1',
    port: server.port,
    password: server.password,
    events: ['CHANNEL_PARK', 'CUSTOM', 'sofia::register'],
    commandDeadlineMs: 2000,
    log,
    clock: systemClock,
    ids: randomIds,
    random: () => 0,
    ...change,
  });
  closers.push(() => client.close());
  client.start(listener);
  return { client, log };
}

const manyEvents = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({
    'Event-Name': 'CUSTOM',
    n: String(from + index),
    filler: 'x'.repeat(1000),
  }));

describe('the ESL client', () => {
  it('authenticates, subscribes, runs commands, and hears events after onUp', async () => {
    const server = await serve((peer, command) => {
      if (!command.startsWith('event ')) return false;
      peer.reply('+OK event listener enabled plain');
      peer.event({ 'Event-Name': 'CHANNEL_PARK', n: '1' });
      return true;
    });
    const notes = new Notes();
    const { client, log } = connect(server, {}, notes);
    await notes.until('CHANNEL_PARK 1');
    expect(notes.words).toEqual(['up', 'CHANNEL_PARK 1']);
    expect(client.connected).toBe(true);
    expect(await client.api('uuid_kill x')).toEqual({ ok: true, value: '+OK' });
    expect(await client.sendMsg('x', { 'call-command': 'execute' })).toEqual({ ok: true, value: '+OK' });
    expect(server.peers[0]?.commands).toEqual([
      'auth open-sesame',
      'event plain CHANNEL_PARK CUSTOM sofia::register',
      'api uuid_kill x',
      'sendmsg x',
    ]);
    expect(log.lines.join('\n')).not.toContain(server.password);
  });

  it('never sends an argument with a line break', async () => {
    const server = await serve(() => false);
    const notes = new Notes();
    const { client } = connect(server, {}, notes);
    await notes.until('up');
    for (const text of ['x\n\napi shutdown', 'x\r', 'x\u0000']) {
      expect(await client.api(`uuid_kill ${text}`)).toMatchObject({ error: { kind: 'bad-argument' } });
      expect(await client.sendMsg('x', { a: text })).toMatchObject({ error: { kind: 'bad-argument' } });
      expect(await client.bgapi(`originate ${text}`, 1000).done).toMatchObject({ error: { kind: 'bad-argument' } });
    }
    await client.api('status');
    expect(server.peers[0]?.received).not.toContain('shutdown');
  });

  it('does not give a late reply to the next command', async () => {
    const server = await serve((peer, command) => {
      if (command === 'api slow') return true;
      if (command === 'api next') {
        peer.answer('slow answer');
        peer.answer('next answer');
        return true;
      }
      return false;
    });
    const notes = new Notes();
    const { client } = connect(server, {}, notes);
    await notes.until('up');
    expect(await client.api('slow', 50)).toMatchObject({ error: { kind: 'deadline' } });
    expect(await client.api('next')).toEqual({ ok: true, value: 'next answer' });
  });

  it('fails what is in flight when the link breaks, reconnects, subscribes again, and sends nothing twice', async () => {
    const server = await serve(
      (peer, command) => {
        if (command.startsWith('api bgapi')) {
          peer.answer('+OK Job-UUID: x\n');
          return true;
        }
        if (command !== 'api uuid_kill a') return false;
        peer.socket.destroy();
        return true;
      },
      () => false,
    );
    const notes = new Notes();
    const { client } = connect(server, {}, notes);
    await notes.until('up');
    const job = client.bgapi('originate x', 60_000);
    expect(await job.accepted).toMatchObject({ ok: true });
    const [first, second] = await Promise.all([client.api('uuid_kill a'), client.api('uuid_kill b')]);
    for (const reply of [first, second, await job.done]) expect(reply).toMatchObject({ error: { kind: 'link-down' } });
    expect(await client.api('uuid_kill c')).toMatchObject({ error: { kind: 'link-down' } });
    await notes.until('up', 2);
    expect(await client.api('uuid_kill d')).toEqual({ ok: true, value: '+OK' });
    expect(server.peers[1]?.commands).toEqual([
      'auth open-sesame',
      'event plain CHANNEL_PARK CUSTOM sofia::register',
      'api uuid_kill d',
    ]);
  });

  it('ends a job by its BACKGROUND_JOB event, also when that comes before the reply', async () => {
    const server = await serve((peer, command) => {
      if (!command.startsWith('api bgapi')) return false;
      const jobUuid = /uuid:(\S+)/.exec(command)?.[1] ?? '';
      peer.event({ 'Event-Name': 'BACKGROUND_JOB', 'Job-UUID': jobUuid }, '-ERR USER_BUSY\n');
      peer.answer(`+OK Job-UUID: ${jobUuid}\n`);
      return true;
    });
    const notes = new Notes();
    const { client } = connect(server, {}, notes);
    await notes.until('up');
    const job = client.bgapi('originate x', 1000);
    expect(await job.done).toEqual({ ok: true, value: '-ERR USER_BUSY' });
    expect(await job.accepted).toMatchObject({ ok: true });
  });

  it('gives up a half-open link within five seconds and connects anew', async () => {
    const server = await serve(
      (_peer, command) => command === 'api status',
      () => false,
    );
    const notes = new Notes();
    const clock = new ManualClock();
    connect(server, { clock }, notes);
    await notes.until('up');
    const startMs = clock.now();
    await clock.advance(2000);
    await server.until('the client asks', () => server.peers[0]?.commands.includes('api status') === true);
    await clock.advance(2500);
    await notes.until('down: no sign of life');
    expect(clock.now() - startMs).toBeLessThan(5000);
    await clock.advance(100);
    await notes.until('up', 2);
  });

  it('keeps a link whose keep-alive is answered', async () => {
    const server = await serve(() => false);
    const notes = new Notes();
    const { client } = connect(server, { keepAliveIntervalMs: 10, keepAliveDeadlineMs: 500 }, notes);
    await notes.until('up');
    const asked = () => server.peers[0]?.commands.filter((command) => command === 'api status').length ?? 0;
    await server.until('five keep-alive commands', () => asked() >= 5);
    expect(client.connected).toBe(true);
    expect(notes.words).toEqual(['up']);
  });

  it.each([
    ['a malformed frame', 'Content-Length: x\n\n', 'down: malformed frame'],
    ['a reply out of step', 'Content-Type: command/reply\nReply-Text: +OK\n\n', 'down: a reply came that no command'],
    [
      'a goodbye',
      'Content-Type: text/disconnect-notice\nContent-Length: 8\n\nGoodbye.',
      'down: the switch said: Goodbye.',
    ],
  ])('reconnects after %s', async (_what, bytes, expected) => {
    const server = await serve(
      (peer, command) => {
        if (command === 'api break') peer.socket.write(bytes);
        return command === 'api break' && !bytes.includes('Reply-Text');
      },
      () => false,
    );
    const notes = new Notes();
    const { client, log } = connect(server, {}, notes);
    await notes.until('up');
    void client.api('break');
    await notes.until(expected);
    await notes.until('up', 2);
    expect(log.lines.some((line) => line.startsWith('warn the link to the switch broke'))).toBe(true);
  });

  it('logs a wrong password without saying it, and tries again', async () => {
    const server = await serve(() => false);
    const { log } = connect(server, { password: 'wrong-word' });
    await server.until('a third attempt', () => server.peers.length >= 3);
    const text = log.lines.join('\n');
    expect(text).toContain('auth failed: -ERR invalid');
    expect(text).not.toContain('wrong-word');
  });

  it('gives up a switch that never asks for the password', async () => {
    const server = await serve((_peer, command) => command.startsWith('auth '));
    const { client, log } = connect(server, { connectDeadlineMs: 50 });
    await server.until('a second attempt', () => server.peers.length >= 2);
    expect(client.connected).toBe(false);
    expect(log.lines.join('\n')).toContain('not connected and subscribed within 50 ms');
  });

  it('survives a listener that throws, and skips frames it does not know', async () => {
    const server = await serve((peer, command) => {
      if (command !== 'api go') return false;
      peer.socket.write('Content-Type: text/unheard-of\n\n');
      peer.socket.write('Content-Type: text/event-plain\nContent-Length: 3\n\na\n\n');
      for (const event of manyEvents(0, 3)) peer.event(event);
      peer.answer('+OK');
      return true;
    });
    class Throwing extends Notes {
      override onEvent(event: EslEvent): void {
        this.note(`${event.name} ${event.get('n')}`);
        throw new Error('a fault of the listener');
      }
    }
    const notes = new Throwing();
    const { client, log } = connect(server, {}, notes);
    await notes.until('up');
    expect(await client.api('go')).toMatchObject({ ok: true });
    await notes.until('CUSTOM', 3);
    expect(notes.words).toEqual(['up', 'CUSTOM 0', 'CUSTOM 1', 'CUSTOM 2']);
    expect(log.lines.filter((line) => line.includes('a fault of the listener'))).toHaveLength(3);
    expect(client.connected).toBe(true);
  });

  it('stops reading for a slow listener, and loses none of 100,000 events', async () => {
    const total = 100_000;
    const server = await serve((peer, command) => {
      if (command !== 'api go') return false;
      peer.answer('+OK');
      for (const event of manyEvents(0, total)) peer.event(event);
      return true;
    });
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let seen = 0;
    class Slow extends Notes {
      override async onEvent(event: EslEvent): Promise<void> {
        expect(Number(event.get('n'))).toBe(seen);
        seen += 1;
        if (seen === 1) await gate;
        if (seen === total) this.note('all');
      }
    }
    const notes = new Slow();
    const clock = new ManualClock();
    const { client, log } = connect(server, { inboxHighWater: 100, clock }, notes);
    await notes.until('up');
    await client.api('go');
    const paused = () => log.lines.some((line) => line.includes('reading pauses'));
    await expect.poll(paused, { timeout: 8000 }).toBe(true);
    // What is not read waits in the peer, where it belongs.
    expect(server.peers[0]?.socket.writableLength).toBeGreaterThan(0);
    // However long that takes, the link is not taken for dead.
    await clock.advance(20_000);
    open();
    await notes.until('all');
    expect(seen).toBe(total);
    expect(client.connected).toBe(true);
  });
});

describe('the FreeSWITCH adapter', () => {
  function adapt(server: ScriptedEslServer): { freeSwitch: TelephoneSwitch; notes: Notes; links: LinkEvent[] } {
    const notes = new Notes();
    const links: LinkEvent[] = [];
    const freeSwitch = createFreeSwitch({
      host: '127.0.0.1',
      port: server.port,
      password: server.password,
      domain: 'yihaotong.local',
      recordingsFolder: '/recordings',
      commandDeadlineMs: 2000,
      wayOutAfterS: 90,
      log: new RecordedLog(),
      clock: systemClock,
      ids: randomIds,
      random: () => 0,
    });
    closers.push(() => freeSwitch.close());
    freeSwitch.start({
      onLeg: (event: SwitchEvent) => notes.note(`${event.type} ${event.leg}`),
      onRegistration: (event: RegistrationEvent) => notes.note(`${event.type} ${event.user}`),
      onLink: (event: LinkEvent) => {
        links.push(event);
        notes.note(event.type);
      },
    });
    return { freeSwitch, notes, links };
  }

  it('subscribes before it takes the snapshot, and tells what came meanwhile after linkUp', async () => {
    const server = await serve((peer, command) => {
      if (command === 'api show channels as json') {
        peer.event({ 'Event-Name': 'CHANNEL_PARK', 'Unique-ID': 'leg-1' });
        peer.answer('{"row_count":1,"rows":[{"uuid":"leg-1"}]}');
        peer.event({ 'Event-Name': 'DTMF', 'Unique-ID': 'leg-1', 'DTMF-Digit': '1' });
        return true;
      }
      if (command !== 'api uuid_dump leg-1 json') return false;
      peer.answer('{"Channel-State":"CS_EXECUTE","variable_current_application":"park"}');
      return true;
    });
    const { freeSwitch, notes, links } = adapt(server);
    await notes.until('digit leg-1');
    expect(notes.words).toEqual(['linkUp', 'legParked leg-1', 'digit leg-1']);
    expect(links[0]).toMatchObject({ type: 'linkUp', snapshot: { legs: [{ leg: 'leg-1', parked: true }] } });
    expect(freeSwitch.connected).toBe(true);
    expect(server.peers[0]?.commands.slice(0, 4)).toEqual([
      'auth open-sesame',
      expect.stringMatching(
        /^event plain CHANNEL_CREATE .* CUSTOM sofia::register .*conference::maintenance yihaotong::supervise$/,
      ),
      'api status',
      'api show channels as json',
    ]);
  });

  it('says each command in the words of the contract', async () => {
    const server = await serve(() => false);
    const { freeSwitch, notes } = adapt(server);
    await notes.until('linkUp');
    const done = { ok: true, value: undefined };
    expect(await freeSwitch.answer('a')).toEqual(done);
    expect(await freeSwitch.hangup('a', 'USER_BUSY')).toEqual(done);
    expect(await freeSwitch.bridge('a', 'b')).toEqual(done);
    expect(await freeSwitch.park('a', true)).toEqual(done);
    expect(await freeSwitch.joinConference('a', 'c1', false)).toEqual(done);
    expect(await freeSwitch.claim('c', 'citizen')).toEqual(done);
    expect(await freeSwitch.startRecording('a', 'x/a b.wav')).toEqual(done);
    expect(await freeSwitch.pauseRecording('a', '/r/a.wav')).toEqual(done);
    expect(await freeSwitch.play({ leg: 'a', playId: 'p', sounds: [{ kind: 'ringback' }], forever: true })).toEqual(
      done,
    );
    expect(server.peers[0]?.commands.slice(5)).toEqual([
      'api uuid_answer a',
      'api uuid_kill a USER_BUSY',
      'api sched_del a',
      'api sched_del b',
      'api uuid_bridge a b',
      'api uuid_transfer a -both parked XML yihaotong',
      'api sched_del a',
      'api uuid_transfer a conf-c1 XML yihaotong',
      'api sched_del c',
      'api sched_transfer +90 c fallback-citizen XML yihaotong',
      "api uuid_record a start '/recordings/x/a b.wav'",
      'api uuid_record a mask /r/a.wav',
      'sendmsg a',
    ]);
    expect(server.peers[0]?.received).toContain(
      'call-command: execute\nexecute-app-name: playback\nexecute-app-arg: tone_stream://%(1000,4000,450);loops=-1\n' +
        'Event-UUID: p\nloops: -1\n\n',
    );
    expect(await freeSwitch.hangup('a all', 'USER_BUSY')).toMatchObject({ error: { kind: 'bad-argument' } });
    expect(await freeSwitch.hangup('a', 'NO SUCH')).toMatchObject({ error: { kind: 'bad-argument' } });
    expect(await freeSwitch.joinConference('a', 'c1 x', false)).toMatchObject({ error: { kind: 'bad-argument' } });
  });

  it('tells the end of an originate whose leg never came to be, once', async () => {
    const server = await serve((peer, command) => {
      if (!command.includes(' originate ')) return false;
      const jobUuid = /uuid:(\S+)/.exec(command)?.[1] ?? '';
      peer.answer(`+OK Job-UUID: ${jobUuid}\n`);
      peer.event({ 'Event-Name': 'BACKGROUND_JOB', 'Job-UUID': jobUuid }, '-ERR USER_NOT_REGISTERED\n');
      peer.event({ 'Event-Name': 'DTMF', 'Unique-ID': 'other', 'DTMF-Digit': '1' });
      return true;
    });
    const { freeSwitch, notes } = adapt(server);
    await notes.until('linkUp');
    const asked = await freeSwitch.originate({
      leg: 'leg-1',
      target: { kind: 'phone', user: '1001' },
      role: 'agent',
      callId: 'call-1',
      callerNumber: '13800001111',
      callerName: '张三',
      ringTimeoutMs: 5000,
    });
    expect(asked).toEqual({ ok: true, value: undefined });
    await notes.until('legEnded leg-1');
    await notes.until('digit other');
    expect(notes.words.filter((word) => word.startsWith('legEnded'))).toHaveLength(1);
  });

  it('takes a fresh snapshot after the link was away', async () => {
    const server = await serve((peer, command) => {
      if (command === 'api uuid_answer a') peer.socket.destroy();
      return command === 'api uuid_answer a';
    });
    const { freeSwitch, notes } = adapt(server);
    await notes.until('linkUp');
    expect(await freeSwitch.answer('a')).toMatchObject({ error: { kind: 'link-down' } });
    await notes.until('linkUp', 2);
    expect(notes.words).toEqual(['linkUp', 'linkDown', 'linkUp']);
  });
});
