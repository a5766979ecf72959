import { randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import type { Kysely } from 'kysely';
import { Secret } from '../config/secret.ts';
import type { Clock } from '../kernel/clock.ts';
import { findPersonByLogin } from '../store/people.ts';
import type { Database } from '../store/schema.ts';
import { createSession, deleteSession, findSession } from '../store/sessions.ts';
import type { Person } from './ports.ts';
import { SignInFailures } from './sign-in-failures.ts';

/** Signing in with name and password, and the sessions that follow. Passwords are argon2id, sessions opaque tokens. */
export class SignIn {
  readonly #db: Kysely<Database>;
  readonly #clock: Clock;
  readonly #sessionMs: number;
  /** Compared for unknown names, so that the answer takes as long as for known ones. */
  readonly #nobody: Promise<string>;
  readonly #failures: SignInFailures;

  constructor(db: Kysely<Database>, clock: Clock, sessionMs: number) {
    this.#db = db;
    this.#clock = clock;
    this.#sessionMs = sessionMs;
    this.#failures = new SignInFailures(clock);
    this.#nobody = hash(randomBytes(16).toString('hex'));
  }

  /** Undefined when name or password is wrong or the person is locked out; which of them is not told. */
  async signIn(
    login: string,
    password: string,
    address: string,
  ): Promise<{ person: Person; token: string; expiresAtMs: number } | 'too-many-failures' | undefined> {
    if (this.#failures.blocked(login, address)) return 'too-many-failures';
    const found = await findPersonByLogin(this.#db, login);
    const right = await verify(found?.passwordHash.reveal() ?? (await this.#nobody), password);
    if (found === undefined || !right || found.person.disabledAtMs !== null) {
      this.#failures.failed(login, address);
      return undefined;
    }
    const token = randomBytes(32).toString('base64url');
    const nowMs = this.#clock.now();
    const expiresAtMs = nowMs + this.#sessionMs;
    await createSession(this.#db, { token: new Secret(token), personId: found.person.id, nowMs, expiresAtMs });
    return { person: found.person, token, expiresAtMs };
  }

  async personOf(token: string): Promise<Person | undefined> {
    const session = await findSession(this.#db, new Secret(token), this.#clock.now());
    return session?.person;
  }

  async signOut(token: string): Promise<void> {
    await deleteSession(this.#db, new Secret(token));
  }
}
