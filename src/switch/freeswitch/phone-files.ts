import { access, constants, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SetupError } from '../../kernel/errors.ts';
import { replaceFile } from '../../kernel/replace-file.ts';
import { renderPhoneFiles, type SwitchUser } from './render-config.ts';

/** The phones in the configuration folders of all nodes, as `switch-config` has written them. */
export class PhoneFiles {
  readonly #folders: readonly string[];
  readonly #domain: string;

  constructor(folders: readonly string[], domain: string) {
    this.#folders = folders;
    this.#domain = domain;
  }

  /** @throws SetupError when this process could not write there what FreeSWITCH can read. */
  async check(): Promise<void> {
    for (const folder of this.#folders) {
      const file = join(folder, 'generated', 'directory.xml');
      const mine = process.getuid?.();
      try {
        await access(join(folder, 'generated'), constants.W_OK);
        const { uid } = await stat(file);
        if (mine !== 0 && uid !== mine) throw new Error(`${file} belongs to another user`);
      } catch (error) {
        throw new SetupError(
          `FREESWITCH_CONF: the phones can't be written into ${folder} (${(error as Error).message}); run switch-config there first, as this user`,
          { cause: error },
        );
      }
    }
  }

  async write(users: readonly SwitchUser[]): Promise<void> {
    const files = renderPhoneFiles({ domain: this.#domain, users });
    for (const folder of this.#folders) {
      for (const [name, content] of Object.entries(files)) {
        const path = join(folder, name);
        if ((await readFile(path, 'utf8').catch(() => undefined)) !== content) await replaceFile(path, content);
      }
    }
  }
}
