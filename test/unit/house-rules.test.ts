import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadPrompts } from '../../src/config/prompts.ts';
import { promptTextsSchema } from '../../src/domain/ivr/prompt-texts.ts';

/** Longer files hold more than one idea. */
const maxLines = 450;

function filesBelow(folder: string, endings: readonly string[]): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => endings.some((ending) => name.endsWith(ending)))
    .filter((name) => !/(^|\/)(node_modules|dist)\//.test(name))
    .map((name) => join(folder, name))
    .sort();
}

const sources = filesBelow('src', ['.ts']).map((file) => ({ file, text: readFileSync(file, 'utf8') }));
const ownCode = ['src', 'test', 'bench', 'scripts', 'migrations', 'web']
  .flatMap((folder) => filesBelow(folder, ['.ts', '.mjs', '.vue']))
  .map((file) => ({ file, text: readFileSync(file, 'utf8') }));

/** Every line of the files that the pattern finds, as `file:line`. */
function findings(files: readonly { file: string; text: string }[], pattern: RegExp): string[] {
  return files.flatMap(({ file, text }) =>
    [...text.matchAll(pattern)].map((match) => `${file}:${text.slice(0, match.index).split('\n').length}`),
  );
}

describe('the law of the house', () => {
  it(`lets no source grow beyond ${maxLines} lines`, () => {
    const long = sources.filter(({ text }) => text.split('\n').length - 1 > maxLines).map(({ file }) => file);
    expect(long).toEqual([]);
  });

  it('leaves no notes for later', () => {
    // Put together, so that this file doesn't find itself.
    const notes = new RegExp(
      `\\b(${['TO', 'FIX'].map((start) => start + (start === 'TO' ? 'DO' : 'ME')).join('|')})\\b`,
      'g',
    );
    expect(findings(ownCode, notes)).toEqual([]);
  });

  it('writes to the log or the terminal on purpose, never by console.log', () => {
    expect(findings(sources, /\bconsole\.(log|debug|info|warn|error)\(/g)).toEqual([]);
  });

  it('swallows no error without a word', () => {
    expect(findings(ownCode, /\bcatch\s*(\([^)]*\)\s*)?\{\s*\}/g)).toEqual([]);
    expect(findings(ownCode, /\.catch\(\s*\(\)\s*=>\s*\{\s*\}\s*\)/g)).toEqual([]);
  });

  it('switches no check off', () => {
    const words = ['@ts-ignore', '@ts-expect-error', '@ts-nocheck', 'eslint-disable', 'biome-ignore'];
    const self = join('test', 'unit', 'house-rules.test.ts');
    const others = ownCode.filter(({ file }) => file !== self);
    expect(findings(others, new RegExp(words.join('|'), 'g'))).toEqual([]);
  });

  it('explains every folder of the sources in docs/ARCHITECTURE.md', () => {
    const page = readFileSync('docs/ARCHITECTURE.md', 'utf8');
    const tree = /```\n(src\/\n[\s\S]*?)```/.exec(page)?.[1] ?? '';
    const named = foldersOfTree(tree);
    const folders = new Set(sources.map(({ file }) => file.slice(0, file.lastIndexOf('/'))));
    const missing = [...folders].filter((folder) => folder !== 'src' && !named.has(folder));
    expect(missing, 'folders that the page does not name').toEqual([]);
    const gone = [...named].filter(
      (folder) =>
        folder.startsWith('src/') && ![...folders].some((one) => one === folder || one.startsWith(`${folder}/`)),
    );
    expect(gone, 'folders that are named but not there').toEqual([]);
  });

  it('keeps addresses of registries out of the lock file', () => {
    const lock = readFileSync('package-lock.json', 'utf8');
    expect(lock.match(/"resolved"\s*:/g)).toBeNull();
    expect(lock.match(/https?:\/\/[^"]*registry[^"]*/g)).toBeNull();
  });

  it('has a version for every package in the lock file, those of other platforms included', () => {
    const lock: { packages: Record<string, { version?: string; optionalDependencies?: Record<string, string> }> } =
      JSON.parse(readFileSync('package-lock.json', 'utf8'));
    const packages = Object.entries(lock.packages).filter(([where]) => where !== '');
    expect(packages.filter(([, entry]) => entry.version === undefined).map(([where]) => where)).toEqual([]);
    // `npm ci` refuses a lock file that lacks one of these.
    const lacking = packages.flatMap(([where, entry]) =>
      Object.keys(entry.optionalDependencies ?? {}).filter(
        (name) =>
          lock.packages[`node_modules/${name}`] === undefined &&
          lock.packages[`${where}/node_modules/${name}`] === undefined,
      ),
    );
    expect(lacking).toEqual([]);
  });

  it('has a text for every prompt and a prompt for every text', () => {
    const texts = promptTextsSchema.parse(parse(readFileSync('prompts/prompts.yaml', 'utf8')));
    expect([...loadPrompts(['prompts']).known.keys()].sort()).toEqual(Object.keys(texts).sort());
  });
});

/** The folders of an indented tree: `src/`, two spaces deeper `switch/`, and so on; `call/ ivr/` names two. */
function foldersOfTree(tree: string): Set<string> {
  const named = new Set<string>();
  const above: string[] = [];
  for (const line of tree.split('\n')) {
    const depth = (/^ */.exec(line)?.[0].length ?? 0) / 2;
    const names = [...line.trim().matchAll(/^(?:[\w-]+\/ ?)+/g)][0]?.[0].trim().split(/\s+/) ?? [];
    for (const name of names) {
      const path = [...above.slice(0, depth), name.replace(/\/$/, '')].join('/');
      named.add(path);
    }
    const [last] = names;
    if (last !== undefined) above.splice(depth, above.length, last.replace(/\/$/, ''));
  }
  return named;
}
