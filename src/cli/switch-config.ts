import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { createLog } from '../app.ts';
import { loadCity } from '../config/city.ts';
import { type Config, loadConfig } from '../config/config.ts';
import { SetupError } from '../kernel/errors.ts';
import { readCertificate } from '../kernel/sip-certificate.ts';
import { answeredNumbers, freeSwitchUsers } from '../services/switch-config.ts';
import { openDatabase } from '../store/database.ts';
import { migrate } from '../store/migrate.ts';
import { listSipUsers } from '../store/people.ts';
import { renderSwitchFiles } from '../switch/freeswitch/render-config.ts';

/**
 * Writes the generated half of FreeSWITCH's configuration (phones, gateways, numbers, ports) into `<folder>/generated`.
 * Run it after people or hotlines changed, then `reloadxml` on the switch.
 * @returns the exit code.
 */
export async function switchConfigCommand(
  environment: NodeJS.ProcessEnv,
  args: readonly string[],
  print: (line: string) => void,
): Promise<number> {
  const [folder] = args;
  if (folder === undefined) {
    print(
      'Usage: switch-config <FreeSWITCH configuration folder>; needs DATABASE_URL, FREESWITCH_ESL and FREESWITCH_ESL_PASSWORD',
    );
    return 2;
  }
  try {
    const written = await writeSwitchFiles(loadConfig(environment), resolve(folder));
    for (const path of written) print(path);
    return 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    print(error.message);
    return 1;
  }
}

async function writeSwitchFiles(config: Config, folder: string): Promise<string[]> {
  if (config.database.kind !== 'external')
    throw new SetupError('DATABASE_URL: must be set; the phones are read from the database');
  if (config.switch.kind !== 'freeswitch')
    throw new SetupError('FREESWITCH_ESL: must be set together with FREESWITCH_ESL_PASSWORD');
  const { nodes, password } = config.switch;
  const [node, ...others] = nodes;
  if (node === undefined || others.length > 0)
    throw new SetupError('FREESWITCH_ESL: must name the one node whose configuration is written');
  const city = await loadCity(config.citiesFolder, config.city);
  const { url } = config.database;
  const log = createLog('warn');
  // The switch is set up before the service's first start.
  await migrate({ url, log });
  const db = openDatabase({ url, applicationName: 'yihaotong-switch-config', log });
  try {
    const users = await listSipUsers(db);
    const { sip } = config;
    // FreeSWITCH would make a certificate of its own in silence.
    if (sip.tls !== undefined) readCertificate(sip.tls.folder);
    const files = renderSwitchFiles({
      domain: sip.domain,
      users: freeSwitchUsers(users),
      gateways: city.gateways,
      hotlineNumbers: answeredNumbers(city),
      carriers: sip.carrierNetworks,
      controlHosts: ['127.0.0.1'],
      trunk: { host: sip.host, port: sip.trunkPort },
      agents: { host: sip.host, port: sip.agentsPort },
      esl: { ...node, password: password.reveal() },
      ...(sip.tls === undefined ? {} : { tls: sip.tls }),
      rtp: { host: sip.host, portMin: sip.rtpPortMin, portMax: sip.rtpPortMax },
      recordingsFolder: config.recordingsFolder,
      promptsFolder: config.promptsFolder,
      mediaTimeoutMs: 300_000,
      phoneTransfer: sip.phoneTransfer,
      maxChannels: config.capacity.switchChannels,
      logLevel: 'notice',
    });
    const paths: string[] = [];
    for (const [name, content] of Object.entries(files)) {
      const path = join(folder, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content, { mode: 0o600 });
      paths.push(path);
    }
    return paths;
  } finally {
    await db.destroy();
  }
}
