import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadCity } from '../../src/config/city.ts';
import { parseCsv } from '../../src/config/csv.ts';
import { readHotlines } from '../../src/config/hotlines.ts';
import { projectFolder } from '../../src/config/project.ts';
import { breakReasons } from '../../src/desk/protocol.ts';

const citiesFolder = join(projectFolder, 'cities');

describe('the profile of Kaifeng', () => {
  it('has the 15 hotlines of the city, and 12345 before them', async () => {
    const { hotlines, units } = await loadCity(citiesFolder, 'kaifeng');
    const modes = (mode: string) => hotlines.filter((line) => line.mode === mode).map((line) => line.number);
    expect(modes('city')).toEqual(['12345']);
    expect(modes('merge')).toEqual(['12336', '12312', '12318', '96119', '967100']);
    expect(modes('dual_track')).toHaveLength(9);
    expect(modes('subcenter')).toEqual(['12366']);
    expect(hotlines).toHaveLength(16);
    expect(hotlines.find((line) => line.number === '12348')).toEqual({
      number: '12348',
      name: '公共法律服务专用电话',
      owner: '市司法局',
      mode: 'dual_track',
      answeredHere: true,
      gateway: null,
      note: '设专家座席;号码保留,话务座席并入12345,设行业专家座席',
    });
    expect(units).toContain('市税务局');
    expect(new Set(units).size).toBe(units.length);
  });

  it('answers the merged lines and those whose seats were merged, and puts the others through', async () => {
    const { hotlines } = await loadCity(citiesFolder, 'kaifeng');
    for (const line of hotlines) {
      expect([line.number, line.answeredHere]).toEqual([line.number, line.gateway === null]);
    }
    const through = hotlines.filter((line) => !line.answeredHere).map((line) => line.number);
    expect(through).toEqual(['12320', '12328', '12369', '12315', '12333', '12366']);
  });

  it('has the break reasons that the desk offers', async () => {
    const profile = await loadCity(citiesFolder, 'kaifeng');
    expect(profile.breakReasons).toEqual([...breakReasons]);
    expect(profile.queues).toEqual([{ id: 'citizen', name: '市民服务' }]);
    expect(profile.fullNumberRoles).toEqual(['supervisor']);
  });
});

describe('a profile with mistakes', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'yihaotong-cities-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function loadChanged(from: string | RegExp, to: string): Promise<string> {
    await cp(join(citiesFolder, 'kaifeng'), join(folder, 'kaifeng'), { recursive: true });
    const path = join(folder, 'kaifeng', 'profile.yaml');
    const text = await readFile(path, 'utf8');
    expect(text).toMatch(from);
    await writeFile(path, text.replace(from, to));
    return loadCity(folder, 'kaifeng').then(
      () => 'no error',
      (error: Error) => error.message.replaceAll(folder, ''),
    );
  }

  it('gets a clear line for each', async () => {
    expect(await loadChanged('"12348"', '"99999"')).toBe(
      'CITY: /kaifeng/profile.yaml: answeredHere: 99999 is not in hotlines.csv',
    );
    expect(await loadChanged('number: "12366"', 'number: "12348"')).toBe(
      'CITY: /kaifeng/profile.yaml: 12348 is both answered here and put through',
    );
    expect(await loadChanged('name: subcentre-12366', 'name: other')).toBe(
      'CITY: /kaifeng/profile.yaml: transferTargets: gateway subcentre-12366 is not in gateways',
    );
    expect(await loadChanged('rating: true', 'rating: maybe')).toMatch(/^CITY: \/kaifeng\/profile.yaml: rating: /);
    expect(await loadChanged('queues:', 'queues: [')).toMatch(/^CITY: \/kaifeng\/profile.yaml: .+/);
    expect(await loadChanged('timeZone: Asia/Shanghai', 'timeZone: Mars/Crater')).toBe(
      'CITY: /kaifeng/profile.yaml: timeZone: is not a time zone',
    );
  });

  it('is named when it is not there', async () => {
    await expect(loadCity(folder, 'nowhere')).rejects.toThrow(/^CITY: .*nowhere.*can't be read/);
  });
});

describe('the list of hotlines', () => {
  const head = 'city,no,owner,name,numbers,mode,normalised_mode,note';

  it('may have several numbers in a line', () => {
    const rows = readHotlines(`${head}\n南通,10,房管局,咨询,85529193;85510951,直接整合,merge,"甲,""乙"""\n`, 'x.csv');
    expect(rows.map((row) => row.number)).toEqual(['85529193', '85510951']);
    expect(rows[0]?.note).toBe('甲,"乙"');
  });

  it('is refused with the line that is wrong', () => {
    const wrong = `${head}\n开封,1,甲,乙,12a,整体并入,merge,\n开封,2,甲,乙,12312,整体并入,joined,\n`;
    expect(() => readHotlines(wrong, 'x.csv')).toThrow(/^CITY: x.csv: line 2: numbers: .*\nCITY: x.csv: line 3: /);
    expect(() => readHotlines('a,b\n', 'x.csv')).toThrow('CITY: x.csv: the first line must be city,no');
    const twice = `${head}\n开封,1,甲,乙,12312,整体并入,merge,\n开封,2,甲,丙,12312,整体并入,merge,\n`;
    expect(() => readHotlines(twice, 'x.csv')).toThrow('CITY: x.csv: 12312 is there twice');
    expect(() => readHotlines(`${head}\n"open`, 'x.csv')).toThrow(/CITY: x.csv: a quote is not closed/);
  });
});

describe('comma-separated text', () => {
  it.each([
    [
      'a,b\r\nc,d\r\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['\uFEFFa,\n', [['a', '']]],
    ['a,', [['a', '']]],
    [
      '"x\ny",""\n\n,',
      [
        ['x\ny', ''],
        ['', ''],
      ],
    ],
    ['', []],
  ])('%j', (text, lines) => {
    expect(parseCsv(text)).toEqual(lines);
  });
});
