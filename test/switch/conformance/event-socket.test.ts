import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/bench.ts';
import { EslTestClient } from '../../support/esl-test-client.ts';
import { startBench } from '../../support/start-bench.ts';

const bench = startBench();

describe('signing in', () => {
  it('is asked for, and a wrong password ends the connection', async () => {
    const client = await EslTestClient.openBare(bench.sut.esl);
    expect(await client.command('auth wrong')).toBe('-ERR invalid');
    await client.closedByPeer();
  });

  it('is needed for everything else', async () => {
    const client = await EslTestClient.openBare(bench.sut.esl);
    expect(await client.command('api status')).toMatch(/^-ERR/);
    await client.close();
  });

  it('lets several clients in, and each gets the events', async () => {
    const second = await EslTestClient.open(bench.sut.esl);
    const citizen = await bench.rings();
    await second.event('CHANNEL_PARK', { 'Unique-ID': citizen.leg });
    await second.close();
    expect(await bench.esl.api(`uuid_exists ${citizen.leg}`)).toBe('true');
  });

  it('ends with exit', async () => {
    const client = await EslTestClient.open(bench.sut.esl);
    expect(await client.command('exit')).toMatch(/^\+OK/);
    await client.closedByPeer();
  });
});

describe('loading the Event Socket anew', () => {
  it.each(['api', 'bgapi'])('%s ends every connection, and no call', async (verb) => {
    const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    const other = await EslTestClient.open(bench.sut.esl);
    const nameless = await EslTestClient.openBare(bench.sut.esl);
    const taker = await EslTestClient.open(bench.sut.esl, '');
    expect(await taker.command(`${verb} reload mod_event_socket`)).toMatch(/^\+OK Job-UUID: /);
    await Promise.all([taker, other, nameless].map((client) => client.closedByPeer()));
    await bench.reconnect();
    for (const { leg } of [citizen, agent]) expect(await bench.esl.api(`uuid_exists ${leg}`)).toBe('true');
    await citizen.call.hearsOnly([650]);
    await agent.call.hearsOnly([400]);
  });

  it('does not wait for a phone that rings, and the phone rings on', async () => {
    const phone = await bench.agent('1001');
    const callee = await bench.ringsAgent(phone, '1001', { originate_timeout: '25' });
    // Its answer goes to the connection that ends.
    callee.originated.catch(() => undefined);
    callee.call.ring();
    const taker = await EslTestClient.open(bench.sut.esl, '');
    await taker.command('api reload mod_event_socket');
    await taker.closedByPeer();
    await bench.reconnect();
    expect(await bench.esl.api(`uuid_exists ${callee.leg}`)).toBe('true');
    callee.call.answer();
    await bench.esl.event('CHANNEL_PARK', { 'Unique-ID': callee.leg });
  });
});

describe('questions about legs', () => {
  it('uuid_exists knows who is there', async () => {
    const citizen = await bench.rings();
    expect(await bench.esl.api(`uuid_exists ${citizen.leg}`)).toBe('true');
    expect(await bench.esl.api(`uuid_exists ${randomUUID()}`)).toBe('false');
  });

  it('uuid_dump tells every header and variable, also one that was set', async () => {
    const citizen = await bench.answeredCitizen({ fromName: '张三 50%' });
    await bench.ok(`uuid_setvar ${citizen.leg} yht_call call-1`);
    const dump = JSON.parse(await bench.esl.api(`uuid_dump ${citizen.leg} json`)) as Record<string, string>;
    expect(dump).toMatchObject({
      'Unique-ID': citizen.leg,
      'Call-Direction': 'inbound',
      'Answer-State': 'answered',
      'Caller-Caller-ID-Name': '张三 50%',
      variable_yht_call: 'call-1',
      variable_yht_role: 'citizen',
      variable_yht_dialled: '12345',
    });
  });

  it('show channels lists them with what they do', async () => {
    expect(JSON.parse(await bench.esl.api('show channels as json'))).toMatchObject({ row_count: 0 });
    const citizen = await bench.answeredCitizen();
    await eventually(async () => (await rowOf(citizen.leg))?.callstate === 'ACTIVE');
    expect(await rowOf(citizen.leg)).toMatchObject({
      uuid: citizen.leg,
      direction: 'inbound',
      cid_num: '13800000001',
      dest: '12345',
      context: 'trunk',
      application: 'park',
    });
    expect((await rowOf(citizen.leg))?.created_epoch).toMatch(/^\d{10}$/);
  });

  it('show channels tells who is bridged and who is in a conference', async () => {
    const [citizen, agent] = await bench.talk({ citizenHz: 400, agentHz: 650 });
    await eventually(async () => (await rowOf(citizen.leg))?.application === 'uuid_bridge');
    expect((await rowOf(citizen.leg))?.application_data).toBe(agent.leg);
    await bench.ok(`uuid_transfer ${citizen.leg} -both conf-listed XML yihaotong`);
    await eventually(async () => (await rowOf(agent.leg))?.application === 'conference');
    // FreeSWITCH's has the member's flags behind it.
    expect((await rowOf(agent.leg))?.application_data).toMatch(/^listed@yihaotong/);
  });
});

describe('commands for a leg that is gone', () => {
  it.each([
    ['uuid_kill', '-ERR No such channel!'],
    ['uuid_answer', '-ERROR'],
    ['uuid_setvar', '-ERR No such channel!', 'a b'],
    ['uuid_dump', '-ERR No such channel!', 'json'],
    ['uuid_break', '-ERR No such channel!', 'all'],
    ['uuid_transfer', '-ERR No such channel!', 'parked XML yihaotong'],
    ['uuid_record', '-ERR Cannot locate session!', 'start /tmp/nowhere.wav'],
    ['sched_del', '+OK Deleted: 0'],
  ])('%s answers %s', async (command, answer, rest = '') => {
    expect(await bench.esl.api(`${command} ${randomUUID()} ${rest}`)).toBe(answer);
  });

  it('uuid_bridge', async () => {
    expect(await bench.esl.api(`uuid_bridge ${randomUUID()} ${randomUUID()}`)).toMatch(/^-ERR/);
  });

  it('sendmsg', async () => {
    await expect(bench.esl.execute(randomUUID(), 'playback', 'silence_stream://100')).rejects.toThrow('-ERR invalid');
  });
});

describe('what makes no sense', () => {
  it('an unknown api command', async () => {
    expect(await bench.esl.api('nonsense')).toBe('-ERR nonsense Command not found!');
  });

  it('an unknown command', async () => {
    expect(await bench.esl.command('nonsense')).toBe('-ERR command not found');
  });

  it('leaves the connection and the switch unharmed', async () => {
    const client = await EslTestClient.open(bench.sut.esl, '');
    for (const line of [
      'api',
      'bgapi',
      'sendmsg',
      'event',
      'event plain',
      'api originate',
      'api uuid_bridge',
      'auth',
    ]) {
      await client.command(line);
    }
    expect(await client.api('status')).toMatch(/UP/);
    await client.close();
  });

  it('half a command, and then the end of the connection', async () => {
    const client = await EslTestClient.open(bench.sut.esl, '');
    client.sendRaw('api uuid_exists ');
    await client.close();
    expect(await bench.esl.api('status')).toMatch(/UP/);
  });
});

it('status and version tell that the switch lives', async () => {
  expect(await bench.esl.api('status')).toMatch(/UP/);
  expect(await bench.esl.api('version')).toMatch(/\d+\.\d+/);
});

it('its heart beats', async () => {
  const beat = await bench.esl.event('HEARTBEAT', {}, { withinMs: 25_000 });
  expect(beat.headers['Event-Date-Timestamp']).toMatch(/^\d{16}$/);
}, 30_000);

interface ChannelRow {
  readonly uuid: string;
  readonly callstate: string;
  readonly application: string;
  readonly application_data: string;
  readonly created_epoch: string;
}

async function rowOf(leg: string): Promise<ChannelRow | undefined> {
  const list = JSON.parse(await bench.esl.api('show channels as json')) as { rows?: ChannelRow[] };
  return list.rows?.find((row) => row.uuid === leg);
}
