import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EslTestClient } from '../../support/esl-test-client.ts';
import { createPhone } from '../../support/phone/phone.ts';
import { type SwitchUnderTest, startSwitchUnderTest } from '../../support/switch.ts';

let sut: SwitchUnderTest;
let esl: EslTestClient;
beforeAll(async () => {
  sut = await startSwitchUnderTest({ users: [{ user: '1001', password: 'the first one' }] });
  esl = await EslTestClient.open(sut.esl, '');
});
afterAll(async () => {
  await esl?.close();
  await sut?.stop();
});

async function registers(user: string, password: string): Promise<number> {
  const phone = await createPhone({ server: sut.agents, user, password, domain: sut.domain });
  const { status } = await phone.tryRegister();
  await phone.vanish();
  return status ?? 0;
}

async function readAnew(): Promise<void> {
  expect(await esl.api('reloadxml')).toContain('[Success]');
  expect(await esl.api('reloadacl')).toContain('+OK');
}

describe('phones that have changed', () => {
  it('are known as soon as the switch has read them, without a restart', async () => {
    expect(await registers('1001', 'the first one')).toBe(200);
    expect(await registers('1002', 'of somebody new')).toBe(403);
    await sut.writePhones([
      { user: '1001', password: 'the second one' },
      { user: '1002', password: 'of somebody new', displayName: '赵一' },
    ]);
    await readAnew();
    expect(await registers('1002', 'of somebody new')).toBe(200);
    expect(await registers('1001', 'the first one')).toBe(403);
    expect(await registers('1001', 'the second one')).toBe(200);
    await sut.writePhones([{ user: '1001', password: 'the second one' }]);
    await readAnew();
    expect(await registers('1002', 'of somebody new')).toBe(403);
  });

  it('stay as they were, and that is said, when what is written can’t be read', async () => {
    await sut.writePhones([{ user: '1001', password: 'the third one' }]);
    await readAnew();
    await writeFile(sut.phonesFile, '<include>\n  <domain name="a">\n    <groups\n</include>\n');
    expect(await esl.api('reloadxml')).not.toContain('[Success]');
    expect(await registers('1001', 'the third one')).toBe(200);
  });
});
