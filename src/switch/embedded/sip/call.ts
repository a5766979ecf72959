/** What a SIP call, whichever side began it, tells the switch and can be told by it. */
import type { RemoteMedia } from '../media/api.ts';
import type { Refer, ReferOutcome } from './refer.ts';

/** How the SIP side of a leg ended. */
export interface SipEnd {
  /** FreeSWITCH's word for who ended it how. */
  readonly disposition:
    | 'send_bye'
    | 'recv_bye'
    | 'send_refuse'
    | 'recv_refuse'
    | 'send_cancel'
    | 'recv_cancel'
    | 'none';
  /** The final status of the INVITE, where it was one that ended the call. */
  readonly status?: number;
  /** Q.850 cause of a Reason header (RFC 3326), if one came. */
  readonly q850?: number;
  /** Nobody answered at all, or nobody acknowledged. */
  readonly timedOut?: boolean;
}

export interface SipCallHandlers {
  /** 180 came back. */
  onRinging(): void;
  /** 183 (or 180) with a description came back; undefined when it is none that we can use. */
  onEarlyMedia(remote: RemoteMedia | undefined): void;
  /** 200 came back on an outbound call. */
  onAnswered(remote: RemoteMedia): void;
  /** The far side's media is known or has changed: ACK of a late offer, re-INVITE. */
  onRemoteMedia(remote: RemoteMedia): void;
  /** A key press by INFO. */
  onInfoDigit(digit: string, durationMs: number): void;
  /** The phone wants its partner to go elsewhere; `tell` says what became of it, once. */
  onRefer(refer: Refer, tell: (outcome: ReferOutcome) => void): void;
  /** The far side ended it, or it could not be. Told at most once, and never after `hangup`. */
  onEnded(end: SipEnd): void;
}

/** Where our own media is. */
export interface LocalMedia {
  readonly address: string;
  readonly port: number;
}

export interface SipCall {
  readonly callId: string;
  /** Ends it in the way that fits its state (refusal, CANCEL, BYE) and says which; later events are swallowed. */
  hangup(cause: { readonly sipStatus: number; readonly q850: number; readonly word: string }): SipEnd;
}

/** As FreeSWITCH tells the end of a session that nobody refreshed: a normal one, and nobody's. */
export const SESSION_EXPIRED: SipEnd = { disposition: 'none', status: 200, q850: 16 };

/** A Reason header value for Q.850 (RFC 3326). */
export function reasonHeader(q850: number, word: string): readonly [string, string] {
  return ['Reason', `Q.850;cause=${q850};text="${word}"`];
}

/** The Q.850 cause of Reason headers; numbers beyond Q.850's range are somebody's private ones and don't count. */
export function readReason(values: readonly string[]): number | undefined {
  for (const value of values) {
    const match = /^\s*Q\.850\s*;(?:.*;)?\s*cause\s*=\s*(\d{1,3})/i.exec(value);
    const cause = match?.[1] === undefined ? 0 : Number(match[1]);
    if (cause >= 1 && cause <= 127) return cause;
  }
  return undefined;
}
