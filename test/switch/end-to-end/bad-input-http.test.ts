import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { DeskClient } from '../../support/hotline/desk-client.ts';
import { demoPassword, startHotline } from '../../support/hotline/hotline.ts';
import { stillServes } from '../../support/hotline/service.ts';
import { readyAgent } from '../../support/hotline/talking.ts';

/** The part of JSON Schema that the API's own document uses. */
const valueSchema = z.looseObject({
  type: z.string().optional(),
  format: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  maxLength: z.number().optional(),
});
const operationSchema = z.looseObject({
  parameters: z
    .array(z.looseObject({ name: z.string(), in: z.string(), required: z.boolean().optional(), schema: valueSchema }))
    .default([]),
  requestBody: z
    .looseObject({
      content: z.record(
        z.string(),
        z.looseObject({
          schema: z.looseObject({
            properties: z.record(z.string(), valueSchema),
            required: z.array(z.string()).default([]),
            additionalProperties: z.unknown(),
          }),
        }),
      ),
    })
    .optional(),
});
const documentSchema = z.looseObject({ paths: z.record(z.string(), z.record(z.string(), operationSchema)) });
type Operation = z.infer<typeof operationSchema>;

interface Trial {
  readonly what: string;
  readonly url: string;
  readonly body?: string;
  readonly contentType?: string;
  /** False: whatever the answer is, it is no fault of the server. */
  readonly refused: boolean;
}

const someId = '00000000-0000-4000-8000-000000000000';
const odd = [
  '%00',
  '8640000000000001',
  '%ED%A0%80',
  "'%3B--",
  '%F0%9F%98%80',
  '..%2F..%2Fetc%2Fpasswd',
  'NaN',
  '1e999',
  '-1',
  '[]',
];

/** The path with a valid value for every parameter but the one that is tried. */
function urlWith(path: string, operation: Operation, tried?: { name: string; value: string }): string {
  let url = path;
  const query: string[] = [];
  for (const parameter of operation.parameters) {
    const value = tried?.name === parameter.name ? tried.value : undefined;
    if (parameter.in === 'path') url = url.replace(`{${parameter.name}}`, value ?? someId);
    else if (value !== undefined) query.push(`${parameter.name}=${value}`);
  }
  return query.length === 0 ? url : `${url}?${query.join('&')}`;
}

function parameterTrials(path: string, operation: Operation): Trial[] {
  return operation.parameters.flatMap(({ name, schema }) => {
    const must: string[] = [];
    if (schema.format === 'uuid') must.push('1', 'not-a-uuid', `${someId}0`);
    if (schema.type === 'integer' || schema.type === 'number') must.push('many', '1.5', '9'.repeat(30));
    if (schema.type === 'string' && schema.maxLength !== undefined) must.push('9'.repeat(schema.maxLength + 1));
    const trial = (value: string, refused: boolean): Trial => ({
      what: `${name}=${value.slice(0, 40)}`,
      url: urlWith(path, operation, { name, value }),
      refused,
    });
    return [...must.map((value) => trial(value, true)), ...odd.map((value) => trial(value, false))];
  });
}

function bodyTrials(path: string, operation: Operation): Trial[] {
  const schema = operation.requestBody?.content['application/json']?.schema;
  if (schema === undefined) return [];
  const url = urlWith(path, operation);
  const valid = Object.fromEntries(Object.keys(schema.properties).map((name) => [name, 'x']));
  const json = (what: string, value: unknown, refused = true): Trial => ({
    what,
    url,
    body: JSON.stringify(value),
    contentType: 'application/json',
    refused,
  });
  const raw = (what: string, body: string, contentType = 'application/json'): Trial => ({
    what,
    url,
    body,
    contentType,
    refused: true,
  });
  const perField = Object.entries(schema.properties).flatMap(([name, { maxLength }]) => [
    ...(schema.required.includes(name) ? [json(`no ${name}`, { ...valid, [name]: undefined })] : []),
    ...[null, 5, true, [], {}, ['x']].map((value) =>
      json(`${name} as ${JSON.stringify(value)}`, { ...valid, [name]: value }),
    ),
    ...(maxLength === undefined ? [] : [json(`${name} too long`, { ...valid, [name]: 'x'.repeat(maxLength + 1) })]),
    json(`${name} with NUL`, { ...valid, [name]: 'a\u0000b' }, false),
    json(`${name} with half a character`, { ...valid, [name]: 'a\ud83db' }, false),
  ]);
  return [
    ...perField,
    ...[null, [], 'x', 5].map((value) => json(`the body as ${JSON.stringify(value)}`, value)),
    ...(schema.additionalProperties === false ? [json('an unknown field', { ...valid, unknown: 1 })] : []),
    json('a prototype', JSON.parse('{"__proto__":{"admin":true}}')),
    raw('not JSON', '{"login": '),
    raw('nothing', ''),
    raw('a deep nest', `${'['.repeat(10_000)}${']'.repeat(10_000)}`),
    raw('too much', JSON.stringify({ ...valid, pad: 'x'.repeat(300_000) })),
    raw('a form', 'login=1001&password=x', 'application/x-www-form-urlencoded'),
    raw('XML', '<a/>', 'text/xml'),
  ];
}

/** Issue 2, «Bad input»: JSON that doesn’t fit the schema on every route. The routes are those of /docs/json. */
describe('every route of the API', () => {
  const hotline = startHotline();
  let desk: DeskClient;
  let operations: { path: string; method: string; operation: Operation }[] = [];

  beforeAll(async () => {
    desk = await hotline.desk('1001');
    const document = documentSchema.parse(await (await fetch(`${hotline.webUrl}/docs/json`)).json());
    operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
    );
    desk.close();
  });

  const ask = (trial: Trial, method: string, cookie?: string): Promise<Response> =>
    fetch(`${hotline.webUrl}${trial.url}`, {
      method,
      headers: {
        ...(cookie === undefined ? {} : { cookie }),
        ...(trial.contentType === undefined ? {} : { 'content-type': trial.contentType }),
      },
      ...(trial.body === undefined ? {} : { body: trial.body }),
    });

  /** What the API answers to what it refuses: a code for programs and a sentence for people. */
  async function expectClearError(response: Response, what: string): Promise<void> {
    const text = await response.text();
    expect(response.headers.get('content-type'), what).toContain('json');
    expect(JSON.parse(text), what).toMatchObject({ code: expect.any(String), message: expect.any(String) });
    expect(text, what).not.toMatch(/node_modules|\.ts:|select |insert /i);
  }

  it('is in the document', () => {
    expect(operations.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(
      expect.arrayContaining([
        'DELETE /api/session',
        'GET /api/calls',
        'GET /api/calls/{id}',
        'GET /api/calls/{id}/recording',
        'GET /api/catalogue',
        'GET /api/hotlines',
        'GET /api/session',
        'GET /api/work-orders',
        'GET /api/work-orders/{id}',
        'GET /healthz',
        'GET /metrics',
        'POST /api/session',
      ]),
    );
  });

  it('refuses what does not fit, clearly, and fails at nothing', { timeout: 60_000 }, async () => {
    const faults: string[] = [];
    for (const { path, method, operation } of operations) {
      for (const trial of [...parameterTrials(path, operation), ...bodyTrials(path, operation)]) {
        const response = await ask(trial, method, desk.cookie);
        const what = `${method} ${path} with ${trial.what}: ${response.status}`;
        const { status } = response;
        if (status >= 500 || status === 429 || (trial.refused && (status < 400 || status === 401))) faults.push(what);
        if (status >= 400 && status !== 401) await expectClearError(response, what);
        else await response.arrayBuffer();
      }
    }
    expect(faults).toEqual([]);
  });

  it('needs a session, except sign-in, health and figures', async () => {
    const open = ['POST /api/session', 'DELETE /api/session', 'GET /healthz', 'GET /metrics'];
    for (const { path, method, operation } of operations) {
      if (open.includes(`${method} ${path}`)) continue;
      for (const cookie of [undefined, 'yht_session=', `yht_session=${'A'.repeat(43)}`, 'yht_session=%00']) {
        const response = await ask({ what: '', url: urlWith(path, operation), refused: true }, method, cookie);
        expect(response.status, `${method} ${path}`).toBe(401);
        await expectClearError(response, path);
      }
    }
  });

  it('has nothing else beside it', async () => {
    for (const path of ['/api', '/api/nothing', '/api/calls/../people', '/api//calls', '/.env', '/api/%E0%A4%A']) {
      const response = await fetch(`${hotline.webUrl}${path}`, { headers: { cookie: desk.cookie } });
      expect([400, 404], path).toContain(response.status);
      await expectClearError(response, path);
    }
    const wrongMethod = await fetch(`${hotline.webUrl}/api/calls`, { method: 'PUT', headers: { cookie: desk.cookie } });
    expect([404, 405]).toContain(wrongMethod.status);
  });

  it('limits wrong passwords, by name and address, without shutting others out', async () => {
    const signIn = (login: string, password: string) =>
      fetch(`${hotline.webUrl}/api/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ login, password }),
      });
    for (let tries = 0; tries < 5; tries += 1) expect((await signIn('banzhang', `guess ${tries}`)).status).toBe(401);
    expect((await signIn('banzhang', demoPassword)).status).toBe(429);
    expect((await signIn('nobody', 'guess')).status).toBe(401);
    expect((await signIn('1002', demoPassword)).status).toBe(200);
  });

  it('and the hotline takes calls as before', async () => {
    await stillServes(hotline, await readyAgent(hotline));
  });
});
