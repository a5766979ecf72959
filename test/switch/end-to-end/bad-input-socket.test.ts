import { once } from 'node:events';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { ClientMessage, DeskRequest } from '../../../src/desk/protocol.ts';
import { DeskClient } from '../../support/hotline/desk-client.ts';
import { startHotline } from '../../support/hotline/hotline.ts';
import { stillServes } from '../../support/hotline/service.ts';
import { readyAgent } from '../../support/hotline/talking.ts';
import type { TestPhone } from '../../support/phone/phone.ts';

const callId = '00000000-0000-4000-8000-000000000000';
const body = {
  citizenName: '',
  contactNumber: '',
  matterType: '咨询' as const,
  category: '',
  address: '',
  content: 'x',
  unit: '',
};

/** One request of each kind that fits; a kind that is missing here does not compile. */
const requests: { readonly [K in DeskRequest['do']]: Extract<DeskRequest, { do: K }> } = {
  ready: { do: 'ready' },
  break: { do: 'break', reason: '小休' },
  endWrapUp: { do: 'endWrapUp' },
  signOff: { do: 'signOff' },
  hold: { do: 'hold', callId },
  resume: { do: 'resume', callId },
  hangup: { do: 'hangup', callId },
  consult: { do: 'consult', callId, number: '12366' },
  cancelConsult: { do: 'cancelConsult', callId },
  joinThreeWay: { do: 'joinThreeWay', callId },
  leave: { do: 'leave', callId },
  transfer: { do: 'transfer', callId, number: '12366' },
  supervise: { do: 'supervise', callId, mode: 'listen' },
  superviseLeave: { do: 'superviseLeave', callId },
  saveDraft: { do: 'saveDraft', callId, baseVersion: 0, body },
  saveOrder: { do: 'saveOrder', callId, baseVersion: 0, body },
};

/** The other kinds of messages. */
const messages: { readonly [K in Exclude<ClientMessage['kind'], 'request'>]: Extract<ClientMessage, { kind: K }> } = {
  hello: { kind: 'hello', epoch: 'e', lastSeq: 1 },
  ack: { kind: 'ack', seq: 1 },
  ping: { kind: 'ping' },
};

const wrongValues = [null, true, -1, 1.5, '', {}, [], ['x'], 'x'.repeat(9000), '\u0000', { $gt: '' }];

/** Values that a field takes although they are odd. */
const fits = (name: string, value: unknown): boolean =>
  (name === 'seq' || name === 'lastSeq' || name === 'baseVersion' ? value === 1 : false) ||
  (name === 'epoch' && (value === '' || value === '\u0000')) ||
  // Every field of the form may be missing.
  (name === 'body' && JSON.stringify(value) === '{}');

/** The object with each of its fields missing, wrong, and with a field too many. */
function spoilt(whole: Readonly<Record<string, unknown>>, optional: readonly string[] = []): object[] {
  const names = Object.keys(whole).filter((name) => name !== 'do' && name !== 'kind');
  return [
    { ...whole, unknown: 1 },
    ...names.flatMap((name) => [
      ...(optional.includes(name) ? [] : [{ ...whole, [name]: undefined }]),
      ...wrongValues.filter((value) => !fits(name, value)).map((value) => ({ ...whole, [name]: value })),
    ]),
  ];
}

/** Work-order forms that do not fit: an unknown field, and each field with what is no text or too long. */
const spoiltForms = [
  { ...body, unknown: '' },
  ...Object.keys(body).flatMap((name) =>
    [null, 5, {}, ['x'], 'x'.repeat(9000)].map((value) => ({ ...body, [name]: value })),
  ),
];

/** Issue 2, «Bad input»: JSON that doesn’t fit the schema on every socket message. */
describe('the desk socket answers what does not fit with an error and lives on', () => {
  const hotline = startHotline();
  let agent: { desk: DeskClient; phone: TestPhone };
  let desk: DeskClient;

  beforeAll(async () => {
    agent = await readyAgent(hotline);
  });

  afterEach(() => desk.close());

  async function open(): Promise<void> {
    desk = await DeskClient.signIn(hotline.webUrl, '1002', 'secret-for-tests-only');
    await desk.open();
  }

  /** Still the same open socket: it does what it is asked. */
  async function answers(): Promise<void> {
    await desk.do({ do: 'break', reason: '小休' });
    expect(desk.closedWith).toBeUndefined();
  }

  it.each(Object.entries(requests))('request «%s»', async (_name, request) => {
    await open();
    const forms = 'body' in request ? spoiltForms.map((form) => ({ ...request, body: form })) : [];
    const bad = [...spoilt(request), ...forms];
    for (const [index, one] of bad.entries()) {
      const id = `bad-${index}`;
      desk.sendRaw(JSON.stringify({ kind: 'request', id, request: one }));
      const reply = await desk.replyTo(id);
      expect(reply, JSON.stringify(one).slice(0, 200)).toMatchObject({ ok: false, code: 'bad-message' });
    }
    await answers();
  });

  it.each(Object.keys(requests).filter((name) => 'callId' in requests[name as DeskRequest['do']]))(
    'request «%s» for a call that is not there',
    async (name) => {
      await open();
      const reply = await desk.request(requests[name as DeskRequest['do']]);
      expect(reply.ok).toBe(false);
      const codes = ['call-ended', 'not-your-call', 'unknown-target', 'not-allowed', 'not-supervising'];
      if (!reply.ok) expect(codes).toContain(reply.code);
      await answers();
    },
  );

  it.each(Object.entries(messages))('message «%s»', async (name, message) => {
    await open();
    for (const one of spoilt(message, ['epoch', 'lastSeq'])) {
      const before = desk.errors.length;
      desk.sendRaw(JSON.stringify(one));
      const error = await desk.nextError(before);
      expect(error, JSON.stringify(one).slice(0, 200)).toMatchObject({ code: 'bad-message' });
    }
    expect(name).toBe(message.kind);
    await answers();
  });

  it.each([
    ['no JSON', 'hello', 'not-json'],
    ['half of a message', '{"kind":"ping"', 'not-json'],
    ['nothing', '', 'not-json'],
    ['null', 'null', 'bad-message'],
    ['a number', '5', 'bad-message'],
    ['a list', '[{"kind":"ping"}]', 'bad-message'],
    ['no kind', '{}', 'bad-message'],
    ['an unknown kind', '{"kind":"shutdown"}', 'bad-message'],
    ['a prototype', '{"__proto__":{"kind":"ping"}}', 'bad-message'],
    ['a request without an id', '{"kind":"request","request":{"do":"ready"}}', 'bad-message'],
    ['a deep nest', '['.repeat(20_000) + ']'.repeat(20_000), 'bad-message'],
    ['a second hello', '{"kind":"hello"}', 'hello-twice'],
  ])('%s', async (_what, text, code) => {
    await open();
    const before = desk.errors.length;
    desk.sendRaw(text);
    expect(await desk.nextError(before)).toMatchObject({ code });
    await answers();
  });

  it('bytes that are no text', async () => {
    await open();
    const before = desk.errors.length;
    desk.sendRaw(Buffer.from(Array.from({ length: 300 }, (_, at) => (at * 31 + 128) % 256)));
    expect(await desk.nextError(before)).toMatchObject({ code: 'not-json' });
    await answers();
  });

  it('and the hotline takes calls as before', async () => {
    await stillServes(hotline, agent);
  });
});

/** Limits of docs/desk-socket.md. */
describe('the desk socket ends', () => {
  const hotline = startHotline();
  let agent: { desk: DeskClient; phone: TestPhone };
  const extra: DeskClient[] = [];

  beforeAll(async () => {
    agent = await readyAgent(hotline);
  });

  afterEach(async () => {
    for (const desk of extra.splice(0)) desk.close();
    await stillServes(hotline, agent);
  });

  async function open(): Promise<DeskClient> {
    const desk = new DeskClient(hotline.webUrl, agent.desk.cookie, 'extra');
    await desk.open();
    extra.push(desk);
    return desk;
  }

  const bare = (path = '/desk', headers: Readonly<Record<string, string>> = {}): WebSocket =>
    new WebSocket(`${hotline.webUrl.replace('http', 'ws')}${path}`, { headers });

  it('for a message of more than 64 KiB', async () => {
    const desk = await open();
    desk.sendRaw(JSON.stringify({ kind: 'ping', pad: 'x'.repeat(70_000) }));
    expect(await desk.closed()).toBe(1009);
  });

  it('for a flood, and takes the page back afterwards', async () => {
    const desk = await open();
    for (let sent = 0; sent < 500; sent += 1) desk.sendRaw('{"kind":"ping"}');
    expect(await desk.closed()).toBe(4429);
    await desk.open();
  });

  it('for the ninth window of one person', async () => {
    // The agent's own desk is the first.
    for (let windows = 1; windows < 8; windows += 1) await open();
    const ninth = bare('/desk', { cookie: agent.desk.cookie });
    const [code] = (await once(ninth, 'close')) as [number];
    expect(code).toBe(4429);
  });

  it('for somebody who is not signed in', async () => {
    for (const cookie of [undefined, 'yht_session=none', `yht_session=${'A'.repeat(43)}`]) {
      const socket = bare('/desk', cookie === undefined ? {} : { cookie });
      const [code] = (await once(socket, 'close')) as [number];
      expect(code).toBe(4401);
    }
  });

  it('for a page that says no hello', async () => {
    const socket = bare('/desk', { cookie: agent.desk.cookie });
    const [code] = (await once(socket, 'close', { signal: AbortSignal.timeout(10_000) })) as [number];
    expect(code).toBe(4408);
  });

  it('before it begins, for a page of another site or another path', async () => {
    const { cookie } = agent.desk;
    for (const socket of [
      bare('/desk', { cookie, origin: 'https://evil.example' }),
      bare('/desk', { cookie, origin: 'null' }),
      bare('/other', { cookie }),
      bare('/desk?x=1', { cookie }),
    ]) {
      const [error] = (await once(socket, 'error')) as [Error];
      expect(error.message).toContain('403');
    }
  });

  it('with a refusal for a request before hello', async () => {
    const socket = bare('/desk', { cookie: agent.desk.cookie });
    await once(socket, 'open');
    socket.send(JSON.stringify({ kind: 'request', id: 'early', request: { do: 'ready' } }));
    const [data] = (await once(socket, 'message')) as [Buffer];
    expect(JSON.parse(String(data))).toMatchObject({ to: 'early', ok: false, code: 'no-hello' });
    socket.terminate();
  });
});
