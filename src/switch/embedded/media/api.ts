/**
 * What the signalling half of the embedded switch asks of its media half. One `MediaEngine` per process; one
 * `MediaLeg` per channel. All audio inside is 8 kHz, 16 bit, mono, in frames of 20 ms driven by one clock.
 * Everything here runs in the same process; callbacks come from the event loop, never in the middle of a call.
 */
import type { Logger } from '../../../kernel/log.ts';

/** The codecs that the embedded switch speaks; inside of it there is G.711 alone (docs/adr/0022-g722-at-the-edge.md). */
export type AudioCodec = 'PCMA' | 'PCMU' | 'G722';

export interface MediaEngineOptions {
  readonly bindAddress: string;
  readonly rtpPortMin: number;
  readonly rtpPortMax: number;
  /** A leg that sends no RTP for this long (while it should) is reported by `onRtpTimeout`; 0 switches it off. */
  readonly rtpTimeoutMs: number;
  readonly log: Logger;
}

export interface MediaLegHandlers {
  /** A telephone event (RFC 4733) has ended, or was long enough to be sure; told once per key press. */
  onDigit(digit: string, durationMs: number): void;
  onRtpTimeout(): void;
}

/** What the far side wants, from its SDP. */
export interface RemoteMedia {
  readonly address: string;
  readonly port: number;
  readonly codec: AudioCodec;
  readonly payloadType: number;
  /** Payload type of telephone-event, if offered. */
  readonly telephoneEventType: number | undefined;
  /** The far side's direction attribute as seen from the far side. */
  readonly direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
}

/** To whom a supervisor is heard: nobody, the agent alone, or the agent and everybody who hears the agent. */
export type SuperviseMode = 'listen' | 'whisper' | 'barge';

/** What a leg hears and to whom it speaks. A leg has exactly one route at a time; a new one replaces the old. */
export type MediaRoute =
  /** Hears silence, sent as packets, and speaks to nobody. */
  | { readonly kind: 'silent' }
  /** Speaks with one other leg. Digits are relayed to it as telephone events as well. */
  | { readonly kind: 'bridge'; readonly other: MediaLeg }
  | { readonly kind: 'conference'; readonly conference: MediaConference }
  /** Hears what the agent's leg says and hears, whatever route that one has. One supervisor at a leg at a time. */
  | { readonly kind: 'supervise'; readonly agent: MediaLeg; readonly mode: SuperviseMode };

export interface PlaybackRequest {
  /**
   * FreeSWITCH's words, already split at `!`: absolute WAV paths (PCM16 mono or stereo, 8 or 16 kHz; G.711 too),
   * `silence_stream://<ms>`, `tone_stream://…` (the subset `%(on,off,freq[,freq])` with `;loops=n`), `local_stream://moh`.
   */
  readonly sources: readonly string[];
  /** How often the whole is played; Infinity for ever. */
  readonly loops: number;
  /** `missing` names the source that could not be read; the rest of the sequence is not played then. */
  onEnded(result: { readonly reason: 'done' | 'stopped' | 'missing'; readonly missing?: string }): void;
}

export interface RecordingRequest {
  /** Absolute path; missing folders are made. Stereo: left what the leg says, right what it hears. */
  readonly path: string;
  readonly stereo: boolean;
  /** Stops by itself after this time; 0 for no limit. */
  readonly maxDurationMs: number;
  onEnded(result: {
    readonly reason: 'stopped' | 'limit' | 'failed';
    readonly error?: string;
    readonly durationMs: number;
  }): void;
}

export interface MediaLeg {
  readonly localPort: number;
  /** Sets or changes the far side (answer, re-INVITE). Symmetric RTP: the first packet's source address wins. */
  setRemote(remote: RemoteMedia): void;
  route(route: MediaRoute): void;
  /** While held (by the far phone) it is sent nothing; the one bridged to it hears `holdMusic`. */
  setHeld(held: boolean): void;
  /** While muted it is not heard in a conference, but goes on hearing. Other routes don't care. */
  setMuted(muted: boolean): void;
  /** Playback replaces what the leg hears; one at a time, a second one stops the first. */
  play(request: PlaybackRequest): void;
  stopPlaying(): void;
  /** Sends a telephone event to the far side. */
  sendDigit(digit: string, durationMs: number): void;
  /** Several recordings with different paths may run at once. */
  startRecording(request: RecordingRequest): void;
  stopRecording(path: string): boolean;
  /** While masked, silence is written. */
  maskRecording(path: string, masked: boolean): boolean;
  stats(): { readonly packetsReceived: number; readonly packetsSent: number; readonly packetsLost: number };
  /** Ends everything (playback and recordings tell `stopped`), frees the port after a pause so that late packets can't reach a new call. */
  close(): void;
}

/** Everybody in it hears the sum of the others. Joined and left by `MediaLeg.route`. */
export interface MediaConference {
  readonly name: string;
  readonly size: number;
}

export interface MediaEngine {
  /** @throws Error when no RTP port is free: the caller answers 503. */
  createLeg(handlers: MediaLegHandlers): Promise<MediaLeg>;
  /** The conference of that name; made when needed, forgotten when the last member leaves. */
  conference(name: string): MediaConference;
  /** The WAV file that `local_stream://moh` and hold play. */
  setHoldMusic(path: string): void;
  close(): Promise<void>;
}
