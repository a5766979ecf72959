import type { DeskPush, ServerMessage } from './protocol.ts';

/** How many pushes are kept for a page that dropped; one that missed more gets a snapshot. */
export const keptPushes = 200;

/** Pushes of a whole list, which a newer one makes worthless. */
const lists: ReadonlySet<DeskPush['type']> = new Set(['today', 'live']);

/** One open socket of a person, as the channel needs it. */
export interface DeskSocket {
  send(message: ServerMessage): void;
}

/**
 * All sockets of one person share one numbered stream of pushes. Pushes are kept, bounded, so that a page that
 * dropped for a moment gets exactly what it missed; after a restart (another epoch) it gets a snapshot.
 */
export class DeskChannel {
  readonly #epoch: string;
  readonly #sockets = new Set<DeskSocket>();
  #kept: { readonly seq: number; push: DeskPush }[] = [];
  #seq = 0;

  constructor(epoch: string) {
    this.#epoch = epoch;
  }

  /** The number of the newest push. */
  get seq(): number {
    return this.#seq;
  }

  get sockets(): number {
    return this.#sockets.size;
  }

  /** Numbers a push, keeps it, and sends it to every window of this person and to nobody else. */
  push(push: DeskPush): void {
    this.#seq += 1;
    const numbered = { seq: this.#seq, push };
    // A list of today's calls grows all day, and each call pushes it anew: only the newest is kept, under every number that
    // one had. A page that missed several gets the newest several times.
    if (lists.has(push.type)) for (const kept of this.#kept) if (kept.push.type === push.type) kept.push = push;
    this.#kept.push(numbered);
    if (this.#kept.length > keptPushes) this.#kept.shift();
    for (const socket of this.#sockets) socket.send({ kind: 'push', ...numbered });
  }

  /**
   * Adds a socket that has said hello. Returns true when it was resumed: the missed pushes have been sent. False: it
   * has been welcomed and the caller must send it a snapshot by `snapshotTo`.
   */
  add(
    socket: DeskSocket,
    hello: { readonly epoch?: string | undefined; readonly lastSeq?: number | undefined },
    serverTimeMs: number,
  ): boolean {
    const { lastSeq } = hello;
    const oldest = this.#kept[0]?.seq ?? this.#seq + 1;
    const resumable =
      hello.epoch === this.#epoch && lastSeq !== undefined && lastSeq <= this.#seq && lastSeq >= oldest - 1;
    socket.send({ kind: 'welcome', epoch: this.#epoch, resumed: resumable, serverTimeMs });
    if (resumable) for (const kept of this.#kept) if (kept.seq > lastSeq) socket.send({ kind: 'push', ...kept });
    this.#sockets.add(socket);
    return resumable;
  }

  /** Sends the whole state to one socket only, under the number that the stream has reached. */
  snapshotTo(socket: DeskSocket, push: DeskPush): void {
    socket.send({ kind: 'push', seq: this.#seq, push });
  }

  remove(socket: DeskSocket): void {
    this.#sockets.delete(socket);
  }
}
