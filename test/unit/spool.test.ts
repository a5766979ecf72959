import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileSpool } from '../../src/services/calls/spool.ts';
import { RecordedLog } from '../support/recorded-log.ts';

describe('the spool of call records', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'yht-spool-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const backlog = { calls: [], journal: [], legs: [] };

  it('gives back what was kept, also in a folder that was not there', async () => {
    const spool = fileSpool(join(folder, 'not', 'there', 'spool'), '7', new RecordedLog());
    expect(await spool.take()).toBeUndefined();
    await spool.keep(backlog);
    expect(await spool.take()).toEqual({ backlog, anotherLed: false });
    await spool.clear();
    expect(await spool.take()).toBeUndefined();
  });

  it('knows whether another control may have led since', async () => {
    const path = join(folder, 'spool');
    const ofEpoch = (epoch: string) => fileSpool(path, epoch, new RecordedLog());
    await ofEpoch('9').keep(backlog);
    expect(await ofEpoch('10').take()).toEqual({ backlog, anotherLed: false });
    expect(await ofEpoch('11').take()).toEqual({ backlog, anotherLed: true });
    // As versions wrote it that knew no standby.
    await writeFile(path, JSON.stringify(backlog));
    expect(await ofEpoch('11').take()).toEqual({ backlog, anotherLed: false });
  });

  it('puts a damaged file aside instead of losing it', async () => {
    const path = join(folder, 'spool');
    await writeFile(path, '{"calls": [');
    const log = new RecordedLog();
    expect(await fileSpool(path, '7', log).take()).toBeUndefined();
    expect(log.lines).toEqual([expect.stringMatching(/^error .*put aside/)]);
    expect(await readFile(`${path}.damaged`, 'utf8')).toBe('{"calls": [');
  });
});
