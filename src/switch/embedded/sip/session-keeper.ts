/** Keeps the session of one dialog alive, and says when it is over (RFC 4028 section 10). */
import type { Clock } from '../../../kernel/clock.ts';
import type { RemoteMedia } from '../media/api.ts';
import type { Dialog } from './dialog.ts';
import type { SipEndpoint } from './endpoint.ts';
import type { SipHeaders, SipRequest, SipResponse } from './message.ts';
import { readSdp } from './sdp.ts';
import {
  agree,
  agreedHeaders,
  offeredHeaders,
  raised,
  type SessionTerms,
  SessionTimer,
  type SessionTimerPolicy,
} from './session-timer.ts';
import { parseCSeq } from './values.ts';

export interface SessionKeeperOptions {
  readonly endpoint: SipEndpoint;
  readonly dialog: Dialog;
  readonly clock: Clock;
  readonly policy: SessionTimerPolicy;
  /** Our last description, unchanged: a refresh is no new offer. */
  description(): string;
  /** Whether an INVITE of the far end is not through yet: ours would cross it (RFC 3261 section 14.1). */
  busy(): boolean;
  onRemoteMedia(remote: RemoteMedia): void;
  /** Nobody has refreshed; or a refresh of ours got this status: 481, or 408, also for no answer at all. */
  onExpired(status?: number): void;
}

/** RFC 3261 section 14.1: who made the Call-ID waits 2.1 to 4 s after a 491, the other one up to 2 s. */
const GLARE_MIN_MS = 2_100;
const GLARE_SPREAD_MS = 1_900;
const BUSY_MS = 1_000;

export class SessionKeeper {
  readonly #options: SessionKeeperOptions;
  readonly #timer: SessionTimer;
  #policy: SessionTimerPolicy;
  #terms: SessionTerms | undefined;
  #refreshing = false;
  #stopped = false;

  constructor(options: SessionKeeperOptions) {
    this.#options = options;
    this.#policy = options.policy;
    this.#timer = new SessionTimer(options.clock, {
      onRefresh: () => this.#refresh(),
      onExpired: () => this.#expire(),
    });
  }

  /** A re-INVITE of ours is on its way. */
  get refreshing(): boolean {
    return this.#refreshing;
  }

  /** The far end's request was or is being answered: the time begins anew. Gives the headers of our 2xx. */
  answer(request: SipHeaders): ReadonlyArray<readonly [string, string]> {
    const terms = agree(request, 'uas', this.#policy);
    this.#begin(terms);
    return agreedHeaders(terms);
  }

  /** The far end's 2xx to our INVITE. */
  answered(response: SipHeaders): void {
    this.#begin(agree(response, 'uac', this.#policy));
  }

  #begin(terms: SessionTerms): void {
    if (this.#stopped) return;
    this.#terms = terms;
    this.#timer.start(terms);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer.stop();
  }

  #expire(status?: number): void {
    if (this.#stopped) return;
    this.stop();
    this.#options.onExpired(status);
  }

  #refresh(): void {
    if (this.#stopped || this.#refreshing) return;
    const { endpoint, dialog } = this.#options;
    if (this.#options.busy()) {
      this.#timer.refreshIn(BUSY_MS);
      return;
    }
    this.#refreshing = true;
    const made = dialog.makeRequest('INVITE', [
      ['Contact', endpoint.contact(dialog.flow)],
      endpoint.allow,
      ...offeredHeaders(this.#policy, Math.max(this.#terms?.intervalS ?? 0, this.#policy.minimumS)),
      ['Content-Type', 'application/sdp'],
    ]);
    const request: SipRequest = { ...made, body: this.#options.description() };
    endpoint.request(request, dialog.nextHop(endpoint), {
      onResponse: (response) => this.#receive(request, response),
      // Section 10: a refresh that nobody answers ends the session.
      onFailure: () => this.#expire(408),
    });
  }

  #receive(request: SipRequest, response: SipResponse): void {
    if (response.status < 200) return;
    const { endpoint, dialog } = this.#options;
    const first = this.#refreshing;
    this.#refreshing = false;
    if (response.status < 300) {
      // Also when it came again: our ACK was lost on the way.
      const sequence = parseCSeq(request.headers.get('cseq') ?? '')?.number ?? 0;
      endpoint.sendAck(dialog.makeAck(sequence), dialog.nextHop(endpoint));
      if (first && !this.#stopped) this.#succeed(response);
    } else this.#fail(response);
  }

  #succeed(response: SipResponse): void {
    const { dialog } = this.#options;
    dialog.refreshTarget(response.headers, dialog.flow);
    this.answered(response.headers);
    const answer = readSdp(response.body);
    if (answer !== undefined) this.#options.onRemoteMedia(answer.remote);
  }

  #fail(response: SipResponse): void {
    if (response.status === 408 || response.status === 481) {
      // Section 10: nothing is left to keep alive.
      this.#expire(response.status);
      return;
    }
    const policy = response.status === 422 ? raised(this.#policy, response.headers) : undefined;
    if (policy !== undefined) {
      this.#policy = policy;
      this.#refresh();
    } else if (response.status === 491) {
      this.#timer.refreshIn(GLARE_MIN_MS + Math.random() * GLARE_SPREAD_MS);
    } else this.#timer.refreshAgain();
  }
}
