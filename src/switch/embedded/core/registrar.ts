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
import { FailureLimit } from './failure-limit.ts';

/** Where one phone of a user can be reached. */
export interface Binding {
  readonly user: string;
  /** The Contact as it came, for people and events. */
  readonly contact: string;
  readonly uri: string;
  readonly flow: Flow;
  readonly callId: string;
  readonly sequence: number;
  readonly expiresAtMs: number;
  readonly registeredAt: number;
}

interface LiveBinding extends Binding {
  readonly timer: Timer;
}

type User = EmbeddedSwitchConfig['users'][number];

const DEFAULT_EXPIRES_SECONDS = 3_600;
const MAX_EXPIRES_SECONDS = 7_200;
/** One person has a desk phone and perhaps a softphone; the oldest binding makes room for more. */
const MAX_BINDINGS_PER_USER = 5;

function readExpires(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Math.min(Number(text), MAX_EXPIRES_SECONDS) : undefined;
}

export class Registrar {
  readonly failures: FailureLimit;
  readonly #context: SwitchContext;
  readonly #nonces: NonceKeeper;
  readonly #bindings = new Map<string, LiveBinding[]>();
  #users = new Map<string, User>();
  #order = 0;

  constructor(context: SwitchContext) {
    this.#context = context;
    this.#nonces = new NonceKeeper(() => context.clock.now());
    this.failures = new FailureLimit(context.clock, ({ address, name }) => {
      context.log.warn({ address, user: name }, 'too many wrong passwords: banned for a while');
    });
    this.reload();
  }

  /** Takes the users of the settings now in force; those who are gone lose their registrations. */
  reload(): void {
    this.#users = new Map(this.#context.config().users.map((user) => [user.user, user]));
    for (const [user, bindings] of this.#bindings) {
      if (!this.#users.has(user)) for (const binding of [...bindings]) this.#remove(binding, 'unregister');
    }
  }

  /** Where a call to that user goes: his newest registration. */
  find(user: string): Binding | undefined {
    return this.#bindings.get(user)?.reduce((newest, one) => (one.registeredAt > newest.registeredAt ? one : newest));
  }

  all(): Binding[] {
    return [...this.#bindings.values()].flat();
  }

  /** Cancels all timers. */
  close(): void {
    for (const bindings of this.#bindings.values()) for (const binding of bindings) binding.timer.cancel();
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
    transaction.respond(status, { headers });
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
    const name = credentials?.username ?? claimed;
    if (this.failures.isBanned(flow.remoteAddress, name)) {
      transaction.respond(403);
      return undefined;
    }
    const verdict = credentials === undefined ? 'foreign' : this.#nonces.judge(credentials.nonce);
    if (credentials === undefined || verdict === 'foreign') {
      this.#challenge(transaction, status, claimed, false);
      return undefined;
    }
    if (!this.#passwordRight(credentials, request.method)) {
      this.failures.note(flow.remoteAddress, name);
      if (this.failures.isBanned(flow.remoteAddress, name)) transaction.respond(403);
      else this.#challenge(transaction, status, claimed, false);
      return undefined;
    }
    if (verdict === 'stale' || !this.#nonces.use(credentials.nonce, credentials.qop?.nc)) {
      this.#challenge(transaction, status, claimed, true);
      return undefined;
    }
    this.failures.forget(flow.remoteAddress, name);
    return credentials.username;
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
      for (const binding of [...(this.#bindings.get(user) ?? [])]) this.#remove(binding, 'unregister');
    } else if (!this.#bindAll(transaction, user, contacts, expires)) return;
    transaction.respond(200, { headers: this.#currentContacts(user) });
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
    const sequence = parseCSeq(request.headers.get('cseq') ?? '')?.number ?? 0;
    for (const { contact, address } of parsed) {
      if (address === undefined) continue;
      const seconds = readExpires(address.parameters.get('expires')) ?? expires ?? DEFAULT_EXPIRES_SECONDS;
      const existing = this.#bindings.get(user)?.find((binding) => binding.uri === address.uri);
      // Section 10.3 step 7: an older request of the same phone that was overtaken changes nothing.
      if (existing?.callId === callId && sequence <= existing.sequence) continue;
      if (seconds === 0) {
        if (existing !== undefined) this.#remove(existing, 'unregister');
      } else this.#bind({ user, contact, uri: address.uri, flow, callId, sequence }, seconds, existing);
    }
    return true;
  }

  #bind(one: Omit<Binding, 'expiresAtMs' | 'registeredAt'>, seconds: number, existing: LiveBinding | undefined): void {
    const { clock } = this.#context;
    existing?.timer.cancel();
    const bindings = (this.#bindings.get(one.user) ?? []).filter((binding) => binding !== existing);
    this.#order += 1;
    const binding: LiveBinding = {
      ...one,
      expiresAtMs: clock.now() + seconds * 1000,
      registeredAt: this.#order,
      timer: clock.setTimer(seconds * 1000, () => this.#remove(binding, 'expire')),
    };
    bindings.push(binding);
    this.#bindings.set(one.user, bindings);
    const oldest = bindings.length > MAX_BINDINGS_PER_USER ? bindings[0] : undefined;
    if (oldest !== undefined) this.#remove(oldest, 'unregister');
    this.#emit('register', binding, seconds);
  }

  #remove(binding: LiveBinding, why: 'unregister' | 'expire'): void {
    binding.timer.cancel();
    const left = (this.#bindings.get(binding.user) ?? []).filter((one) => one !== binding);
    if (left.length === 0) this.#bindings.delete(binding.user);
    else this.#bindings.set(binding.user, left);
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
          ['contact', binding.contact],
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
    const now = this.#context.clock.now();
    return (this.#bindings.get(user) ?? []).map((binding) => {
      const left = Math.max(1, Math.round((binding.expiresAtMs - now) / 1000));
      return ['Contact', `<${binding.uri}>;expires=${left}`] as const;
    });
  }
}
