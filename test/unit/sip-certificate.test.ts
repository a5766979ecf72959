import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SetupError } from '../../src/kernel/errors.ts';
import { readCertificate } from '../../src/kernel/sip-certificate.ts';
import { launchEmbeddedSwitch } from '../../src/switch/embedded/launch.ts';
import { makeCertificate, writeCertificate } from '../support/certificate.ts';
import { RecordedLog } from '../support/recorded-log.ts';

const own = makeCertificate();
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'yht-certificate-'));
  await writeCertificate(folder, own);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const complaint = (): string => {
  try {
    readCertificate(folder);
    return 'none';
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return error.message;
  }
};

/** Issue 3, section 1 (registration over TLS): files that are missing or wrong are told at the start. */
describe('the certificate of SIP over TLS', () => {
  it('is read with its key, and its end is known', () => {
    const { context, validToMs } = readCertificate(folder);
    expect(context.minVersion).toBe('TLSv1.2');
    expect(validToMs).toBeGreaterThan(Date.now() + 28 * 24 * 3_600_000);
  });

  it.each([
    ['agent.pem', '', 'agent.pem holds no certificate (PEM)'],
    ['agent.pem', own.cert, 'agent.pem holds no private key (PEM, without a password)'],
    ['agent.pem', own.key, 'agent.pem holds no certificate (PEM)'],
    ['agent.pem', own.cert + makeCertificate().key, 'agent.pem holds a key that is not its certificate’s'],
    ['cafile.pem', 'nothing', 'cafile.pem holds no certificate (PEM)'],
  ])('is refused where %s is wrong (%#)', async (name, content, words) => {
    await writeFile(join(folder, name), content);
    expect(complaint()).toMatch(/^SIP_TLS_FOLDER: /);
    expect(complaint()).toContain(words);
    expect(complaint()).not.toContain('PRIVATE KEY');
  });

  it.each(['agent.pem', 'cafile.pem'])('is refused where %s is missing, by the switch as well', async (name) => {
    await rm(join(folder, name));
    const words = new RegExp(`^SIP_TLS_FOLDER: .*${name} can’t be read: ENOENT`);
    expect(complaint()).toMatch(words);
    const started = launchEmbeddedSwitch(
      {
        ...{ trunkPort: 0, agentsPort: 0, eslPort: 0, eslPassword: 'only-for-this-test', domain: 'yihaotong.local' },
        ...{ carriers: [], hotlineNumbers: [], recordingsFolder: folder, promptsFolder: folder, logLevel: 'silent' },
        tls: { folder, trunkPort: 0, agentsPort: 0 },
      },
      { log: new RecordedLog() },
    );
    await expect(started).rejects.toThrow(words);
  });
});
