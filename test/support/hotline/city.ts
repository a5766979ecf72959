/** The city, flows and prompts of a test. */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectFolder } from '../../../src/config/project.ts';
import { writeToneFile } from '../wav.ts';

/** How long a tone in place of a prompt sounds: long enough to be heard, short enough not to be waited for. */
const defaultPromptMs = 700;

export interface CityOptions {
  /** Tones in place of spoken prompts, by prompt id, so that a phone hears which one plays. */
  readonly prompts?: Readonly<Record<string, number>>;
  /** How long each of these tones is. */
  readonly promptMs?: number;
  /** Changes to the flows of ivr-flows/, by flow id. */
  readonly flows?: Readonly<Record<string, (text: string) => string>>;
}

/** The city `kaifeng` with the sub-centre's gateway at the test's own port, and a flow without any greeting. */
export async function writeCity(folder: string, subcentrePort: number, options: CityOptions): Promise<void> {
  await cp(join(projectFolder, 'cities'), join(folder, 'cities'), { recursive: true });
  await cp(join(projectFolder, 'ivr-flows'), join(folder, 'ivr-flows'), { recursive: true });
  const profile = join(folder, 'cities', 'kaifeng', 'profile.yaml');
  const text = await readFile(profile, 'utf8');
  const moved = text.replace(/(subcentre-12366, host: 127\.0\.0\.1, port: )5090/, `$1${subcentrePort}`);
  if (moved === text) throw new Error('the profile’s gateway of 12366 was not found');
  await writeFile(profile, moved);
  const flow =
    'id: straight\ntitle: 直达\nstart: person\noperatorQueue: citizen\nsteps:\n  person:\n    kind: queue\n    queue: citizen\n';
  await writeFile(join(folder, 'ivr-flows', 'straight.yaml'), flow);
  for (const [id, edit] of Object.entries(options.flows ?? {})) {
    const path = join(folder, 'ivr-flows', `${id}.yaml`);
    await writeFile(path, edit(await readFile(path, 'utf8')));
  }
  const prompts = join(folder, 'cities', 'kaifeng', 'prompts');
  await mkdir(prompts, { recursive: true });
  for (const [id, hz] of Object.entries(options.prompts ?? {}))
    await writeToneFile(join(prompts, `${id}.wav`), hz, options.promptMs ?? defaultPromptMs);
}
