import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lintFlowsCommand } from '../../src/cli/lint-flows.ts';
import { flowJsonSchemaText } from '../../src/config/flow-json-schema.ts';
import { loadFlows, parseFlow, requireSoundFlows } from '../../src/config/flows.ts';
import { loadPrompts } from '../../src/config/prompts.ts';
import { type Flow, flowSchema } from '../../src/domain/ivr/flow.ts';
import { type FlowSurroundings, lintFlow } from '../../src/domain/ivr/lint-flow.ts';
import { SetupError } from '../../src/kernel/errors.ts';

const surroundings: FlowSurroundings = {
  knownPrompts: loadPrompts(['prompts']).known,
  knownQueues: new Set(['citizen']),
};

const menu = {
  kind: 'menu',
  prompts: ['info-menu'],
  choices: { 1: 'person' },
  noInput: ['no-input'],
  wrongInput: ['wrong-input'],
  giveUp: 'person',
};
const person = { kind: 'queue', queue: 'citizen' };
const say = (next: string, ...prompts: string[]) => ({ kind: 'say', prompts: ['greeting', ...prompts], next });

function flowOf(steps: Record<string, object>, head: object = {}): Flow {
  return flowSchema.parse({ id: 'x', title: 'x', start: 'start', operatorQueue: 'citizen', steps, ...head });
}
const faults = (flow: Flow, around = surroundings): string[] =>
  lintFlow(flow, around).map((issue) => `${issue.step ?? '-'} ${issue.code}`);

describe('lintFlow', () => {
  it('is content with a sound flow', () => {
    expect(faults(flowOf({ start: say('ask'), ask: menu, person }))).toEqual([]);
  });

  it('finds targets that are missing', () => {
    const flow = flowOf({ start: { ...menu, choices: { 1: 'constructor', 2: 'person' }, giveUp: 'lost' }, person });
    expect(faults(flow)).toEqual(['start missing-step', 'start missing-step']);
    expect(faults(flowOf({ person }, { start: 'lost' }))).toEqual(['- missing-step', 'person unreachable-step']);
  });

  it('finds steps that nobody reaches', () => {
    expect(faults(flowOf({ start: person, island: say('start') }))).toEqual(['island unreachable-step']);
  });

  it('finds menus without a way to a person and callers who are dropped', () => {
    const bye = { kind: 'hangup' };
    expect(faults(flowOf({ start: { ...menu, choices: { 1: 'bye' }, giveUp: 'bye' }, bye }))).toEqual([
      'start no-way-to-person',
      'start silent-caller-dropped',
    ]);
    expect(faults(flowOf({ start: { ...menu, giveUp: 'start' }, person }))).toEqual(['start silent-caller-dropped']);
    const viaSay = { start: { ...menu, giveUp: 'sorry' }, sorry: say('bye'), bye, person };
    expect(faults(flowOf(viaSay))).toEqual(['start silent-caller-dropped']);
  });

  it('finds announcements that go round for ever', () => {
    expect(faults(flowOf({ start: say('b'), b: say('c'), c: say('b') }))).toEqual([
      'b endless-announcement',
      'c endless-announcement',
    ]);
  });

  it('finds prompts and queues that are not there', () => {
    const flow = flowOf({ start: say('person', 'no-such-prompt'), person: { kind: 'queue', queue: 'nobody' } });
    expect(faults(flow)).toEqual(['start missing-prompt', 'person unknown-queue']);
    expect(faults(flowOf({ start: person }, { operatorQueue: 'nobody' }))).toEqual(['- unknown-queue']);
  });

  it('finds announcements that are too long, and a menu that takes the operator digit', () => {
    const long = flowOf({ start: say('person', 'music'), person });
    expect(faults(long)).toEqual(['start play-too-long']);
    expect(faults(long, { ...surroundings, maxPlayMs: 60_000 })).toEqual([]);
    expect(faults(flowOf({ start: { ...menu, choices: { 0: 'person' } }, person }))).toEqual([
      'start operator-digit-taken',
    ]);
  });
});

describe('the flows of the house', () => {
  it('are sound', () => {
    const flows = loadFlows(['ivr-flows']);
    expect([...flows.keys()]).toEqual(['direct', 'seed-menu']);
    expect(() => requireSoundFlows(flows, surroundings)).not.toThrow();
  });

  it('have a JSON Schema that is in step with the program', () => {
    const written: unknown = JSON.parse(readFileSync('ivr-flows/flow.schema.json', 'utf8'));
    expect(written, 'run: npx tsx scripts/make-flow-schema.ts').toEqual(JSON.parse(flowJsonSchemaText()));
  });
});

describe('files that are no sound flows', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'flows-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const sound =
    'id: x\ntitle: x\nstart: person\noperatorQueue: citizen\nsteps:\n  person: {kind: queue, queue: citizen}\n';
  const put = (text: string): void => writeFileSync(join(folder, 'x.yaml'), text);
  function lint(...args: string[]): { code: number; lines: string[] } {
    const lines: string[] = [];
    return { code: lintFlowsCommand(['--flows', folder, ...args], (line) => lines.push(line)), lines };
  }

  it.each([
    ['no YAML', 'id: [', /Flow sequence/i],
    ['a key twice', `${sound}id: y\n`, /unique/i],
    ['another name than the file', sound.replace('id: x', 'id: other'), /id: "other" must be/],
    ['an unknown field', `${sound}colour: red\n`, /colour/],
    ['a key that no phone has', sound.replace('id: x', 'id: x\noperatorDigit: "12"'), /operatorDigit/],
    ['nothing', '', /flow:/],
    ['a billion laughs', `a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b]\n`, /alias/i],
  ])('%s is told in one line', (_what, text, words) => {
    put(text);
    expect(() => loadFlows([folder])).toThrow(SetupError);
    expect(() => loadFlows([folder])).toThrow(/x\.yaml can't be used/);
    const { code, lines } = lint();
    expect(code).toBe(1);
    expect(lines[0]).toMatch(words);
    expect(lines[0]).not.toContain('\n');
  });

  it('never lets an inherited name pass as a step', () => {
    const flow = parseFlow(sound.replace('start: person', 'start: constructor'), 'x');
    expect(flow.ok && faults(flow.value)).toEqual(['- missing-step', 'person unreachable-step']);
  });

  it('a flow that loses callers stops the start', () => {
    put(sound.replace('start: person', 'start: lost'));
    const flows = loadFlows([folder]);
    expect(() => requireSoundFlows(flows, surroundings)).toThrow(/flow x can't.*no step "lost".*1 more/);
  });

  it("a city's flow replaces the house's", () => {
    writeFileSync(join(folder, 'direct.yaml'), sound.replace('id: x', 'id: direct'));
    expect(loadFlows(['ivr-flows', folder]).get('direct')?.start).toBe('person');
  });

  it('a missing folder is named', () => {
    expect(() => loadFlows([join(folder, 'none')])).toThrow(/folder of call flows/);
  });

  it('the command tells sound from faulty and wrong use', () => {
    put(sound);
    expect(lint()).toEqual({ code: 0, lines: ['1 flow(s) checked, 0 fault(s)'] });
    expect(lint('--queue', 'enterprise').code).toBe(1);
    put(sound.replace('start: person', 'start: lost'));
    expect(lint().lines[0]).toMatch(/x\.yaml: \[missing-step\] start/);
    expect(lint('--no-such-option').code).toBe(2);
    expect(lint('--prompts', join(folder, 'none')).code).toBe(2);
  });
});
