import { isIP } from 'node:net';
import { err, ok, type Result } from '../../kernel/result.ts';
import { maxBannedAddresses, type PhoneBans, type SwitchFailure, type SwitchReply } from '../port.ts';
import { readReply } from './replies.ts';

/** Names the users whose bans stand, so that a control that has just come knows what an earlier one left. */
const INDEX = 'yht_banned';
const USER = /^[0-9A-Za-z._-]{1,64}$/;

/** The access list that the phone of this user must pass; made by `render-config.ts`. */
export const phoneList = (user: string): string => `phones-${user}`;

/** The global variable that holds the addresses from which this user is refused. */
export const banVariable = (user: string): string => `${INDEX}_${user}`;

function networkOf(address: string): string | undefined {
  const version = isIP(address);
  return version === 0 ? undefined : `${address}/${version === 4 ? 32 : 128}`;
}

/** The bans as values of variables; undefined when one of them can't be said to the switch. */
function valuesOf(bans: PhoneBans): Map<string, string> | undefined {
  const values = new Map<string, string>();
  for (const [user, addresses] of bans) {
    const networks = addresses.map(networkOf).filter((network) => network !== undefined);
    if (!USER.test(user) || networks.length < addresses.length || networks.length > maxBannedAddresses)
      return undefined;
    if (networks.length > 0) values.set(user, networks.join(','));
  }
  return values;
}

/**
 * Makes these bans, and no others, stand at the switch (docs/switch-contract.md, "Bans"). What a control that died left
 * is taken away, whichever step it died at: the index is widened first and narrowed last.
 * @param api runs one `api` command.
 */
export async function applyBans(
  api: (line: string) => Promise<Result<string, SwitchFailure>>,
  bans: PhoneBans,
): SwitchReply {
  const wanted = valuesOf(bans);
  if (wanted === undefined) return err({ kind: 'bad-argument', message: 'not a list of bans' });
  const index = await api(`global_getvar ${INDEX}`);
  if (!index.ok) return index;
  // One that is not set is answered `-ERR no reply`, which holds no name.
  const standing = index.value
    .trim()
    .split(',')
    .filter((user) => USER.test(user));
  if (standing.length === 0 && wanted.size === 0) return ok(undefined);
  const users = [...new Set([...standing, ...wanted.keys()])];
  const lines = [
    `global_setvar ${INDEX}=${users.join(',')}`,
    ...users.map((user) => `global_setvar ${banVariable(user)}=${wanted.get(user) ?? ''}`),
    'reloadacl',
    `global_setvar ${INDEX}=${[...wanted.keys()].join(',')}`,
  ];
  for (const line of lines) {
    const reply = readReply(await api(line));
    if (!reply.ok) return reply;
  }
  return ok(undefined);
}
