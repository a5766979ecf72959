import type { Registration, RegistrationEvent } from '../switch/port.ts';
import type { VirtualClock } from './clock.ts';

const contactOf = (user: string): string => `sip:${user}@phone`;

/** The phones that are registered on a simulated switch. */
export class Registrations {
  readonly #clock: VirtualClock;
  readonly #tell: (event: RegistrationEvent) => void;
  readonly #users = new Set<string>();

  constructor(clock: VirtualClock, tell: (event: RegistrationEvent) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  add(user: string): void {
    if (this.#users.has(user)) return;
    this.#users.add(user);
    this.#tell({ type: 'registered', user, contact: contactOf(user), atMs: this.#clock.now() });
  }

  remove(user: string): void {
    if (!this.#users.delete(user)) return;
    this.#tell({ type: 'unregistered', user, contact: contactOf(user), atMs: this.#clock.now() });
  }

  has(user: string): boolean {
    return this.#users.has(user);
  }

  list(): Registration[] {
    return [...this.#users].map((user) => ({ user, contact: contactOf(user) }));
  }

  /** Nobody is told: the switch has died. */
  clear(): void {
    this.#users.clear();
  }
}
