/**
 * The row that says which control leads. It has a connection of its own, so that no call's work delays it; because a
 * leader asks on it all the time, one that broke is soon made anew, so what PostgreSQL tells is heard on it as well.
 */
import pg from 'pg';
import { z } from 'zod';
import type { Secret } from '../config/secret.ts';
import type { Logger } from '../kernel/log.ts';
import { controlApplication } from './database.ts';

/** An answer that takes longer counts as none. */
export const leaderDeadlineMs = 1_000;
const endOthersWithinMs = 3_000;
const endOneWithinMs = 500;
const channel = 'yht_control_leader';
/** On which PostgreSQL tells of changed people (migration 0006). */
const peopleChannel = 'yht_people';

/** A process, so that another one on its machine can see whether it has died. Empty words where that can't be known. */
export const holderSchema = z.object({
  host: z.string(),
  boot: z.string(),
  pidSpace: z.string(),
  pid: z.number().int(),
  startedAt: z.string(),
});
export type Holder = z.infer<typeof holderSchema>;

/** What the row says; times by the database's clock. */
export interface LeaderRow {
  readonly epoch: string;
  /** Undefined while nobody has ever led. */
  readonly holder: Holder | undefined;
  readonly webUrl: string;
  /** The last leader has left in order: it commands nothing any more. */
  readonly released: boolean;
  readonly leaseLeftMs: number;
}

export interface LeaderWish {
  /** The epoch that is to be succeeded; another one in the row means that somebody was quicker. */
  readonly after: string;
  /** Its holder is known to be dead: the end of its lease is not waited for. */
  readonly holderDied: boolean;
  readonly holder: Holder;
  readonly webUrl: string;
  readonly leaseMs: number;
}

const rowSchema = z.object({
  epoch: z.string(),
  holder: z.unknown(),
  web_url: z.string(),
  released: z.boolean(),
  left_ms: z.coerce.number(),
});

export class LeaderStore {
  readonly #url: Secret;
  readonly #log: Logger;
  #client: Promise<pg.Client> | undefined;
  #closed = false;
  /** Told when a leader leaves in order. */
  onReleased: (() => void) | undefined;
  /** People have changed, or may have while this connection was gone. */
  onPeople: (() => void) | undefined;

  constructor(url: Secret, log: Logger) {
    this.#url = url;
    this.#log = log;
  }

  async look(): Promise<LeaderRow> {
    const { rows } = await this.#ask(
      `select epoch, holder, web_url, released, extract(epoch from lease_until - clock_timestamp()) * 1000 as left_ms
         from control_leader`,
      [],
    );
    const row = rowSchema.parse(rows[0]);
    return {
      epoch: row.epoch,
      holder: holderSchema.safeParse(row.holder).data,
      webUrl: row.web_url,
      released: row.released,
      leaseLeftMs: row.left_ms,
    };
  }

  /** Begins a new epoch; of any number of rivals one gets it. @returns undefined when another one was quicker. */
  async take({ after, holderDied, holder, webUrl, leaseMs }: LeaderWish): Promise<string | undefined> {
    const { rows } = await this.#ask(
      `update control_leader
          set epoch = epoch + 1, holder = $2, web_url = $3, released = false,
              lease_until = clock_timestamp() + $4 * interval '1 millisecond'
        where epoch = $1 and (lease_until <= clock_timestamp() or $5)
       returning epoch`,
      [after, JSON.stringify(holder), webUrl, leaseMs, holderDied],
    );
    return rows[0] === undefined ? undefined : z.object({ epoch: z.string() }).parse(rows[0]).epoch;
  }

  /**
   * Ends the database connections of earlier controls, so that no statement of theirs that was let through before the
   * epoch changed is still under way. All are told first, then each is waited for: PostgreSQL looks only ten times a
   * second whether one has gone, so one after the other would take a second for a pool of ten.
   * @returns false when one was still there after three seconds.
   */
  async endOthers(): Promise<boolean> {
    const untilMs = performance.now() + endOthersWithinMs;
    while (performance.now() < untilMs) {
      const { rows } = await this.#ask(
        `select pid, pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and usename = current_user and application_name = $1`,
        [controlApplication],
      );
      const [left] = z.array(z.object({ pid: z.number() })).parse(rows);
      if (left === undefined) return true;
      await this.#ask('select pg_terminate_backend($1, $2)', [left.pid, endOneWithinMs]);
    }
    return false;
  }

  /** Makes the lease longer. @returns false when the epoch is another one's. */
  async renew(epoch: string, leaseMs: number): Promise<boolean> {
    const { rowCount } = await this.#ask(
      `update control_leader set lease_until = clock_timestamp() + $2 * interval '1 millisecond' where epoch = $1`,
      [epoch, leaseMs],
    );
    return rowCount === 1;
  }

  /** Leaves in order: whoever waits is told and need not wait for the lease's end. */
  async release(epoch: string): Promise<void> {
    await this.#ask(
      `with left_now as (
         update control_leader set released = true, lease_until = clock_timestamp() where epoch = $1 returning 1
       ) select pg_notify($2, '') from left_now`,
      [epoch, channel],
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = this.#client;
    this.#client = undefined;
    await client?.then(
      (open) => open.end(),
      () => undefined,
    );
  }

  async #ask(text: string, values: unknown[]): Promise<pg.QueryResult> {
    if (this.#closed) throw new Error('the leader’s connection is closed');
    this.#client ??= this.#connect();
    const pending = this.#client;
    try {
      return await (await pending).query(text, values);
    } catch (error) {
      // A late answer would be taken for that of the next question.
      this.#drop(pending);
      throw error;
    }
  }

  #drop(pending: Promise<pg.Client>): void {
    if (this.#client === pending) this.#client = undefined;
    pending
      .then(
        (client) => client.end(),
        () => undefined,
      )
      .catch((error: unknown) => this.#log.debug({ err: error }, 'a broken connection did not end in order'));
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.#url.reveal(),
      application_name: 'yihaotong-leader',
      connectionTimeoutMillis: leaderDeadlineMs,
      query_timeout: leaderDeadlineMs,
      statement_timeout: leaderDeadlineMs,
      keepAlive: true,
    });
    client.on('error', (error) => this.#log.warn({ err: error }, 'the leader’s connection to the database broke'));
    client.on('notification', (told) => (told.channel === peopleChannel ? this.onPeople?.() : this.onReleased?.()));
    await client.connect();
    await client.query(`listen ${channel}; listen ${peopleChannel}`);
    // Nobody knows what was told while there was no connection.
    this.onPeople?.();
    return client;
  }
}
