/** Session timers (RFC 4028): what two ends agree on, and the clock that keeps to it. The choices are FreeSWITCH's. */
import type { Clock, Timer } from '../../../kernel/clock.ts';
import type { SipHeaders } from './message.ts';
import { listValues } from './values.ts';

type HeaderPairs = ReadonlyArray<readonly [name: string, value: string]>;

/** What this switch wants of every session, seconds. */
export interface SessionTimerPolicy {
  readonly expiresS: number;
  readonly minimumS: number;
}

/** What a session lives by. */
export interface SessionTerms {
  readonly intervalS: number;
  readonly refresher: 'us' | 'them';
}

/** Said in every INVITE and its answers. */
const SUPPORTED: readonly [string, string] = ['Supported', 'timer'];
/** RFC 4028 section 10; a longer one comes from a broken far end and would only overflow the clock. */
const MAX_INTERVAL_S = 86_400;
/** How long before its end a session that nobody refreshed is given up, at most. */
const MAX_MARGIN_S = 32;
const MIN_RETRY_MS = 1_000;

const seconds = (value: string | undefined): number | undefined => {
  const digits = /^\s*(\d{1,10})\s*(?:;|$)/.exec(value ?? '')?.[1];
  return digits === undefined ? undefined : Math.min(Number(digits), MAX_INTERVAL_S);
};

const understands = (headers: SipHeaders): boolean =>
  listValues([...headers.all('supported'), ...headers.all('require')]).some((tag) => tag.toLowerCase() === 'timer');

/** The Min-SE of a message, 0 without one. */
const minSe = (headers: SipHeaders): number => seconds(headers.get('min-se')) ?? 0;

/** Whether a request wants its session refreshed more often than we like: it gets 422 (section 9). */
export function isTooShort(request: SipHeaders, policy: SessionTimerPolicy): boolean {
  const asked = seconds(request.get('session-expires'));
  return asked !== undefined && asked < policy.minimumS;
}

/** The policy for a far end that answered 422: as long as it asks (section 7.3). Undefined when it asks nothing new. */
export function raised(policy: SessionTimerPolicy, refusal: SipHeaders): SessionTimerPolicy | undefined {
  const minimumS = minSe(refusal);
  if (minimumS <= policy.minimumS) return undefined;
  return { minimumS, expiresS: Math.max(policy.expiresS, minimumS) };
}

/** The headers of our 422. */
export const tooShortHeaders = (policy: SessionTimerPolicy): HeaderPairs => [['Min-SE', String(policy.minimumS)]];

/**
 * What a message of the far end leads to. Who refreshes when neither says so: the UAC; when the far end can't, we do.
 * @param weAre our side of the transaction that the message belongs to
 */
export function agree(theirs: SipHeaders, weAre: 'uac' | 'uas', policy: SessionTimerPolicy): SessionTerms {
  const asked = seconds(theirs.get('session-expires')) ?? policy.expiresS;
  const intervalS = Math.max(Math.min(asked, policy.expiresS), policy.minimumS, minSe(theirs));
  const named = /;\s*refresher\s*=\s*(ua[cs])/i.exec(theirs.get('session-expires') ?? '')?.[1]?.toLowerCase();
  if (!understands(theirs)) return { intervalS, refresher: 'us' };
  return { intervalS, refresher: (named ?? 'uac') === weAre ? 'us' : 'them' };
}

/** The headers of our 2xx. Only a far end that understands them is required to (section 9). */
export function agreedHeaders({ intervalS, refresher }: SessionTerms): HeaderPairs {
  const expires = ['Session-Expires', `${intervalS};refresher=${refresher === 'us' ? 'uas' : 'uac'}`] as const;
  return refresher === 'us' ? [SUPPORTED, expires] : [SUPPORTED, expires, ['Require', 'timer']];
}

/** The headers of our INVITE: a first one, or a refresh. */
export function offeredHeaders(policy: SessionTimerPolicy, intervalS = policy.expiresS): HeaderPairs {
  return [SUPPORTED, ['Session-Expires', `${intervalS};refresher=uac`], ['Min-SE', String(policy.minimumS)]];
}

export interface SessionTimerHandlers {
  /** It is our turn to refresh. */
  onRefresh(): void;
  /** Nobody has refreshed the session in time. */
  onExpired(): void;
}

/** The clock of one session. It runs from every 2xx anew. */
export class SessionTimer {
  readonly #clock: Clock;
  readonly #handlers: SessionTimerHandlers;
  #refresh: Timer | undefined;
  #expiry: Timer | undefined;
  #expiresAtMs = 0;

  constructor(clock: Clock, handlers: SessionTimerHandlers) {
    this.#clock = clock;
    this.#handlers = handlers;
  }

  /** Begins, or begins anew. */
  start({ intervalS, refresher }: SessionTerms): void {
    this.stop();
    const lifeMs = (intervalS - Math.min(MAX_MARGIN_S, intervalS / 10)) * 1000;
    this.#expiresAtMs = this.#clock.now() + lifeMs;
    this.#expiry = this.#clock.setTimer(lifeMs, () => {
      this.stop();
      this.#handlers.onExpired();
    });
    if (refresher === 'us') this.refreshIn((intervalS * 1000) / 2);
  }

  /** A refresh that was refused is tried again halfway to the end. */
  refreshAgain(): void {
    this.refreshIn(Math.max(MIN_RETRY_MS, (this.#expiresAtMs - this.#clock.now()) / 2));
  }

  /** Says when to refresh next; past the session's end there is none. */
  refreshIn(delayMs: number): void {
    this.#refresh?.cancel();
    if (this.#expiry === undefined || this.#clock.now() + delayMs >= this.#expiresAtMs) return;
    this.#refresh = this.#clock.setTimer(delayMs, () => this.#handlers.onRefresh());
  }

  stop(): void {
    this.#refresh?.cancel();
    this.#expiry?.cancel();
    this.#refresh = undefined;
    this.#expiry = undefined;
  }
}
