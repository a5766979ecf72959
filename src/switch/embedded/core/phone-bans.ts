/**
 * Who may not register or call from where: control's decision, taken over at `reloadacl` from the global variables
 * `yht_banned_<user>`, as FreeSWITCH's access lists do (docs/switch-contract.md, "Bans").
 */
import { makeAcl } from './acl.ts';

const PREFIX = 'yht_banned_';

export class PhoneBans {
  #lists = new Map<string, (address: string) => boolean>();

  /** How many users are refused somewhere. */
  get size(): number {
    return this.#lists.size;
  }

  /** Takes the lists of these variables, and forgets all earlier ones. */
  load(variables: ReadonlyMap<string, string>): void {
    const lists = [...variables].filter(([name]) => name.startsWith(PREFIX));
    this.#lists = new Map(lists.map(([name, value]) => [name.slice(PREFIX.length), makeAcl(value.split(','))]));
  }

  isBanned(user: string, address: string): boolean {
    return this.#lists.get(user)?.(address) === true;
  }
}
