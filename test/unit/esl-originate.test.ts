import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayName, encodeVariable, expressible, originateLine } from '../../src/switch/freeswitch/originate.ts';
import type { OriginateRequest } from '../../src/switch/port.ts';
import { parseOriginate } from '../support/freeswitch-parser.ts';

const request: OriginateRequest = {
  leg: '0f0e7c3a-0000-4000-8000-000000000001',
  target: { kind: 'phone', user: '1001' },
  role: 'agent',
  callId: '0f0e7c3a-0000-4000-8000-000000000002',
  callerNumber: '13800001111',
  callerName: '张三',
  ringTimeoutMs: 15_000,
};

function parse(change: Partial<OriginateRequest>): ReturnType<typeof parseOriginate> {
  const line = originateLine({ ...request, ...change }, 'yihaotong.local');
  if (!line.ok) throw new Error(line.error.message);
  return parseOriginate(line.value);
}

/** Text full of what parsers stumble over. */
const nasty = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...`'"\\,=%{}$^ |&()[]<>!:_;sntr#@~\``),
    fc.constantFrom('${', ':_:', '^^', '%41', '\\s', '张', '😀', 'a', '\n', '\r', '\u0000', '\u0007'),
  ),
  maxLength: 40,
});

describe('the originate command', () => {
  it('tells FreeSWITCH who rings, how long, and where the phone goes when it answers', () => {
    const { variables, dial, application } = parse({});
    expect(dial).toBe('sofia/agents/1001%yihaotong.local');
    expect(application).toBe('&park()');
    expect(Object.fromEntries(variables)).toMatchObject({
      origination_uuid: request.leg,
      origination_caller_id_name: '张三',
      origination_caller_id_number: '13800001111',
      originate_timeout: '16',
      ignore_early_media: 'true',
      yht_role: 'agent',
      yht_call: request.callId,
      yht_dialled: '1001',
      park_timeout: '20:NORMAL_CLEARING',
      transfer_after_bridge: 'parked:XML:yihaotong',
    });
  });

  it('dials a gateway', () => {
    expect(parse({ target: { kind: 'gateway', gateway: 'subcentre', number: '12366' } }).dial).toBe(
      'sofia/gateway/subcentre/12366',
    );
  });

  it('writes ordinary values the short way that docs/switch-contract.md shows', () => {
    expect(encodeVariable('n', '张三')).toBe('n=张三');
    expect(encodeVariable('n', '张 三, 科长')).toBe(`n='张 三\\, 科长'`);
  });

  it('brings a caller name with %, quotes, commas, braces and Chinese through', () => {
    const name = `张"三', 100% {ok} \\ a=b`;
    expect(parse({ callerName: name }).variables.get('origination_caller_id_name')).toBe(`张＂三', 100% {ok} ＼ a=b`);
  });

  it('brings any SIP header value through as it is, but for what can not be said', () => {
    fc.assert(
      fc.property(nasty, nasty, (value, name) => {
        const { variables, dial, application } = parse({ sipHeaders: { 'X-Test': value }, callerName: name });
        expect(variables.get('sip_h_X-Test') ?? '').toBe(expressible(value));
        expect(variables.get('origination_caller_id_name') ?? '').toBe(displayName(name));
        expect(variables.get('park_timeout')).toBe('20:NORMAL_CLEARING');
        expect([dial, application]).toEqual(['sofia/agents/1001%yihaotong.local', '&park()']);
      }),
      { numRuns: 2000 },
    );
  });

  it('changes only what can not be said', () => {
    expect(expressible(' a\r\nb\u0000 ')).toBe('a  b');
    expect(expressible('{a} }')).toBe('｛a｝ ｝');
    expect(expressible('\u0024{x} :_:')).toBe('＄{x} :＿:');
    expect(expressible(`it's "50%", {x}\\`)).toBe(`it's "50%", {x}\\`);
  });

  it.each([
    { target: { kind: 'phone', user: '1001 &hangup()' } },
    { target: { kind: 'phone', user: '1001,sofia/gateway/x/1' } },
    { target: { kind: 'gateway', gateway: 'a/b', number: '1' } },
    { target: { kind: 'gateway', gateway: 'g', number: '1\n\napi shutdown' } },
    { sipHeaders: { 'X-A=1,b': 'c' } },
  ] satisfies Partial<OriginateRequest>[])('refuses what would mean something else: %j', (change) => {
    const line = originateLine({ ...request, ...change }, 'yihaotong.local');
    expect(line).toMatchObject({ ok: false, error: { kind: 'bad-argument' } });
  });
});
