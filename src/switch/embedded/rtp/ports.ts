/** After a close the port rests this long, so that late packets of the old call can't reach a new one. */
const REST_MS = 2000;
/** A port that another program holds is not tried again for this long. */
const OCCUPIED_REST_MS = 30_000;

interface RestingPort {
  readonly port: number;
  readonly freeAtMs: number;
}

/** Hands out the even ports of a range (RFC 3550 section 11), the longest unused first. */
export class PortPool {
  readonly #free: number[] = [];
  #resting: RestingPort[] = [];
  readonly #now: () => number;

  /**
   * @param now milliseconds of a clock that never goes back.
   * @throws Error when the range holds no even port.
   */
  constructor(portMin: number, portMax: number, now: () => number) {
    this.#now = now;
    for (let port = portMin + (portMin % 2); port <= portMax; port += 2) this.#free.push(port);
    // A switch that is started again after a crash begins elsewhere: old phones may still send to the ports of old calls.
    const begin = Math.floor(Math.random() * this.#free.length);
    this.#free.push(...this.#free.splice(0, begin));
    if (this.#free.length === 0) throw new Error(`The RTP port range ${portMin}-${portMax} holds no even port`);
  }

  /** The next port, or undefined when all are in use or resting. */
  take(): number | undefined {
    const nowMs = this.#now();
    const stillResting = this.#resting.filter((resting) => resting.freeAtMs > nowMs);
    if (stillResting.length < this.#resting.length) {
      for (const resting of this.#resting) if (resting.freeAtMs <= nowMs) this.#free.push(resting.port);
      this.#resting = stillResting;
    }
    return this.#free.shift();
  }

  /** Gives a port back after its call. */
  release(port: number): void {
    this.#resting.push({ port, freeAtMs: this.#now() + REST_MS });
  }

  /** The port could not be bound: somebody else has it. */
  setAside(port: number): void {
    this.#resting.push({ port, freeAtMs: this.#now() + OCCUPIED_REST_MS });
  }
}
