/** Who is registered where: the registrations of all nodes as one list. */
import type { PasswordShown, Registration, RegistrationEvent, SwitchSnapshot } from '../port.ts';

interface Binding extends Registration {
  readonly node: string;
  /** The node has it no longer on its list. */
  readonly forgotten: boolean;
}

/**
 * One registration per person, as on each node: the newest one counts, on whichever node it was made. A node that dies
 * takes no phone with it: the phone is still at its contact, and registers elsewhere when its time is over.
 */
export class PhoneBook {
  readonly #bindings = new Map<string, Binding>();

  /** Where this phone is; undefined when it is not registered anywhere, or its time is over. */
  find(user: string, nowMs: number): Binding | undefined {
    const binding = this.#bindings.get(user);
    return binding === undefined || isOver(binding, nowMs) ? undefined : binding;
  }

  all(nowMs: number): Registration[] {
    return [...this.#bindings.values()].filter((binding) => !isOver(binding, nowMs));
  }

  /** Notes what a node told. False when it means nothing: the phone has moved to another node since. */
  apply(node: string, event: Exclude<RegistrationEvent, PasswordShown>): boolean {
    const { user, contact } = event;
    if (event.type === 'registered') {
      this.#bindings.set(user, { user, contact, expiresAtMs: event.expiresAtMs, node, forgotten: false });
      return true;
    }
    if (this.#bindings.get(user)?.node !== node) return false;
    this.#bindings.delete(user);
    return true;
  }

  /**
   * Takes a node's whole list. A phone that it had before and lacks now is kept until its time is over: a node that
   * died has forgotten its phones, and they don't know it. It is rung at its contact from then on, and one that had
   * unregistered while the link was down fails to ring.
   */
  replace(node: string, registrations: SwitchSnapshot['registrations']): void {
    for (const binding of this.#bindings.values()) {
      if (binding.node === node) this.#bindings.set(binding.user, { ...binding, forgotten: true });
    }
    for (const one of registrations) {
      const known = this.#bindings.get(one.user);
      // The one that lasts longer was made later, as far as anybody can tell.
      if (known !== undefined && known.node !== node && (known.expiresAtMs ?? 0) > (one.expiresAtMs ?? 0)) continue;
      this.#bindings.set(one.user, { ...one, node, forgotten: false });
    }
  }

  /** Drops those whose time is over; gives the persons. */
  expire(nowMs: number): Registration[] {
    const over = [...this.#bindings.values()].filter((binding) => isOver(binding, nowMs));
    for (const { user } of over) this.#bindings.delete(user);
    return over;
  }
}

const isOver = (binding: Binding, nowMs: number): boolean =>
  binding.expiresAtMs !== undefined && binding.expiresAtMs + LATE_MARGIN_MS <= nowMs;

/** A node tells the expiry itself, a little late; this is for those whose node is not there to tell it. */
const LATE_MARGIN_MS = 5_000;
