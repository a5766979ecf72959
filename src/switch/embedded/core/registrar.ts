/** Registrations of phones on the agents' side (RFC 3261 section 10) and the digest check of their requests. */
import type { Timer } from '../../../kernel/clock.ts';
import type { EmbeddedSwitchConfig } from '../config.ts';
import {
  challengeValue,
  credentialsMatch,
  type DigestCredentials,
  NonceKeeper,
  parseDigestCredentials,
} from '../sip/digest.ts';
import type { Flow } from '../sip/flow.ts';
import type { ServerTransaction } from '../sip/server-transaction.ts';
import { listValues, parseCSeq, parseNameAddress, parseUri } from '../sip/values.ts';
import type { SwitchContext } from './context.ts';
import { pathed } from './path.ts';
import { PhoneBans } from './phone-bans.ts';

/** Where one phone of a user can be reached. */
export interface Binding {
  readonly user: string;
  /** The Contact as it came, for people and events. */
  readonly contact: string;
  readonly uri: string;
  /** The proxies between us and the phone (RFC 3327), the nearest first; requests to the phone take this route. */
  readonly path: readonly string[];
  readonly flow: Flow;
  readonly callId: string;
  readonly sequence: number;
  readonly expiresAtMs: number;
}

interface LiveBinding extends Binding {
  readonly timer: Timer;
}

type User = EmbeddedSwitchConfig['users'][number];

const DEFAULT_EXPIRES_SECONDS = 3_600;
const MAX_EXPIRES_SECONDS = 7_200;

function readExpires(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Math.min(Number(text), MAX_EXPIRES_SECONDS) : undefined;
}

export class Registrar {
  readonly bans = new PhoneBans();
  readonly #context: SwitchContext;
  readonly #nonces: NonceKeeper;
  /** One registration per user, as on FreeSWITCH: the newest one counts. */
  readonly #bindings = new Map<string, LiveBinding>();
  #users = new Map<string, User>();

  constructor(context: SwitchContext) {
    this.#context = context;
    this.#nonces = new NonceKeeper(() => context.clock.now());
    this.reload();
  }

  /** Takes the users of the settings now in force; those who are gone lose their registrations. */
  reload(): void {
    this.#users = new Map(this.#context.config().users.map((user) => [user.user, user]));
    for (const [user, binding] of [...this.#bindings]) {
      if (!this.#users.has(user)) this.#remove(binding, 'unregister');
    }
  }

  /** Where a call to that user goes. */
  find(user: string): Binding | undefined {
    return this.#bindings.get(user);
  }

  all(): Binding[] {
    return [...this.#bindings.values()];
  }

  /** Cancels all timers. */
  close(): void {
    for (const binding of this.#bindings.values()) binding.timer.cancel();
    this.#bindings.clear();
  }

  #challenge(transaction: ServerTransaction, status: 401 | 407, user: string, stale: boolean): void {
    const { domain } = this.#context.config();
    const name = status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate';
    const nonce = this.#nonces.issue();
    const headers: Array<readonly [string, string]> = [[name, challengeValue(domain, nonce, 'MD5', stale)]];
    if (this.#users.get(user)?.ha1Sha256 !== undefined) {
      // The preferred algorithm comes first (RFC 8760 section 2.4).
      headers.unshift([name, challengeValue(domain, nonce, 'SHA-256', stale)]);
    }
    transaction.respondOnce(status, { headers });
  }

  #passwordRight(credentials: DigestCredentials, method: string): boolean {
    const user = this.#users.get(credentials.username);
    const ha1 = credentials.algorithm === 'MD5' ? user?.ha1Md5 : user?.ha1Sha256;
    if (ha1 === undefined || credentials.realm !== this.#context.config().domain) return false;
    return credentialsMatch(credentials, method, ha1);
  }

  /**
   * Checks the sender of a request. Gives the user's name, or undefined when the request has been answered
   * (challenged or refused).
   */
  authenticate(transaction: ServerTransaction, status: 401 | 407): string | undefined {
    const { request, flow } = transaction;
    const key = status === 401 ? 'authorization' : 'proxy-authorization';
    const claimed = parseUri(parseNameAddress(request.headers.get('from') ?? '')?.uri ?? '')?.user ?? '';
    const { domain } = this.#context.config();
    const credentials = request.headers
      .all(key)
      .map(parseDigestCredentials)
      .find((one) => one?.realm === domain);
    const verdict = credentials === undefined ? 'foreign' : this.#nonces.judge(credentials.nonce);
    if (credentials === undefined || verdict === 'foreign') {
      this.#challenge(transaction, status, claimed, false);
      return undefined;
    }
    const name = credentials.username;
    if (this.bans.isBanned(name, flow.remoteAddress) || !this.#passwordRight(credentials, request.method)) {
      // The same answer for a ban, a wrong password and an unknown name: it tells a guesser nothing.
      this.#tellAttempt(name, flow, 'FORBIDDEN');
      transaction.respondOnce(403);
      return undefined;
    }
    if (verdict === 'stale' || !this.#nonces.use(credentials.nonce, credentials.qop?.nc)) {
      this.#challenge(transaction, status, claimed, true);
      return undefined;
    }
    this.#tellAttempt(name, flow, 'SUCCESS');
    transaction.trust();
    return name;
  }

  /** Control counts the wrong passwords, and bans. */
  #tellAttempt(username: string, flow: Flow, result: 'SUCCESS' | 'FORBIDDEN'): void {
    const { domain } = this.#context.config();
    this.#context.events.emit(
      'CUSTOM',
      () => ({
        headers: [
          ['profile-name', 'agents'],
          ['network-ip', flow.remoteAddress],
          ['network-port', String(flow.remotePort)],
          ['username', username],
          ['realm', domain],
          ['auth-result', result],
        ],
      }),
      'sofia::register_attempt',
    );
  }

  /** Serves a REGISTER. */
  register(transaction: ServerTransaction): void {
    const { request } = transaction;
    const user = this.authenticate(transaction, 401);
    if (user === undefined) return;
    const record = parseUri(parseNameAddress(request.headers.get('to') ?? '')?.uri ?? '')?.user;
    if (record !== user) {
      // Nobody registers a phone for somebody else.
      transaction.respond(403);
      return;
    }
    const contacts = listValues(request.headers.all('contact'));
    const expires = readExpires(request.headers.get('expires'));
    if (contacts.includes('*')) {
      // Section 10.2.2: only alone and with Expires 0.
      if (contacts.length > 1 || expires !== 0) {
        transaction.respond(400);
        return;
      }
      const binding = this.#bindings.get(user);
      if (binding !== undefined) this.#remove(binding, 'unregister');
    } else if (!this.#bindAll(transaction, user, contacts, expires)) return;
    // RFC 3327 section 5.3: the phone is told which path was kept.
    const path = request.headers.all('path').map((value) => ['Path', value] as const);
    transaction.respond(200, { headers: [...this.#currentContacts(user), ...path] });
  }

  #bindAll(
    transaction: ServerTransaction,
    user: string,
    contacts: readonly string[],
    expires: number | undefined,
  ): boolean {
    const { request, flow } = transaction;
    const parsed = contacts.map((contact) => ({ contact, address: parseNameAddress(contact) }));
    if (parsed.some(({ address }) => parseUri(address?.uri ?? '') === undefined)) {
      transaction.respond(400);
      return false;
    }
    const callId = request.headers.get('call-id') ?? '';
    const path = listValues(request.headers.all('path'));
    const sequence = parseCSeq(request.headers.get('cseq') ?? '')?.number ?? 0;
    for (const { contact, address } of parsed) {
      if (address === undefined) continue;
      const seconds = readExpires(address.parameters.get('expires')) ?? expires ?? DEFAULT_EXPIRES_SECONDS;
      const existing = this.#bindings.get(user);
      // Section 10.3 step 7: an older request of the same phone that was overtaken changes nothing.
      if (existing?.callId === callId && sequence < existing.sequence) continue;
      // Headers inside a Contact's URI would steer our own calls (RFC 4475 section 3.3.14): they are left out.
      const uri = address.uri.split('?')[0] ?? '';
      if (seconds > 0) this.#bind({ user, contact, uri, path, flow, callId, sequence }, seconds);
      else if (existing?.uri === uri) this.#remove(existing, 'unregister');
    }
    return true;
  }

  /** The new registration takes the place of the one before, of whichever phone, without a word about that one. */
  #bind(one: Omit<Binding, 'expiresAtMs'>, seconds: number): void {
    const { clock } = this.#context;
    this.#bindings.get(one.user)?.timer.cancel();
    const binding: LiveBinding = {
      ...one,
      expiresAtMs: clock.now() + seconds * 1000,
      timer: clock.setTimer(seconds * 1000, () => this.#remove(binding, 'expire')),
    };
    this.#bindings.set(one.user, binding);
    this.#emit('register', binding, seconds);
  }

  #remove(binding: LiveBinding, why: 'unregister' | 'expire'): void {
    binding.timer.cancel();
    this.#bindings.delete(binding.user);
    this.#emit(why, binding, 0);
  }

  #emit(what: 'register' | 'unregister' | 'expire', binding: Binding, seconds: number): void {
    const { domain } = this.#context.config();
    const names = what === 'expire' ? (['user', 'host'] as const) : (['from-user', 'from-host'] as const);
    this.#context.events.emit(
      'CUSTOM',
      () => ({
        headers: [
          ['profile-name', 'agents'],
          [names[0], binding.user],
          [names[1], domain],
          ['contact', binding.path.length === 0 ? binding.contact : `"" <${pathed(binding)}>`],
          ['call-id', binding.callId],
          ['expires', String(seconds)],
          ['network-ip', binding.flow.remoteAddress],
          ['network-port', String(binding.flow.remotePort)],
          ['realm', domain],
        ],
      }),
      `sofia::${what}`,
    );
  }

  #currentContacts(user: string): Array<readonly [string, string]> {
    const binding = this.#bindings.get(user);
    if (binding === undefined) return [];
    const left = Math.max(1, Math.round((binding.expiresAtMs - this.#context.clock.now()) / 1000));
    return [['Contact', `<${binding.uri}>;expires=${left}`]];
  }
}
