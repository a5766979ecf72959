import type { RemoteInfo, Socket } from 'node:dgram';
import { assert } from '../../../kernel/assert.ts';
import { systemClock } from '../../../kernel/clock.ts';
import type { Logger } from '../../../kernel/log.ts';
import { DigitSender } from '../rtp/digit-sender.ts';
import { decodeTables, type G711Law } from '../rtp/g711.ts';
import { InboundStream } from '../rtp/inbound-stream.ts';
import { createRtpView, parseRtp } from '../rtp/packet.ts';
import { DigitReceiver } from '../rtp/telephone-event.ts';
import type {
  AudioCodec,
  MediaLeg,
  MediaLegHandlers,
  MediaRoute,
  PlaybackRequest,
  RecordingRequest,
  RemoteMedia,
} from './api.ts';
import type { ConferenceMember, ConferenceRoom } from './conference.ts';
import { FarSide } from './far-side.ts';
import { FRAME_SAMPLES } from './frames.ts';
import type { HoldMusic } from './hold-music.ts';
import { JitterBuffer } from './jitter-buffer.ts';
import { LegRecordings } from './leg-recordings.ts';
import { LegSender, type ReceivedSound } from './leg-sender.ts';
import { Playback } from './playback.ts';
import { loadSource } from './playback-source.ts';
import type { PromptStore } from './prompt-store.ts';
import { SAID } from './recorder.ts';
import { SilenceWatch } from './silence-watch.ts';
import { Supervision } from './supervision.ts';
import type { Ticker, Ticking } from './ticker.ts';
import { WidebandReader } from './wideband.ts';

/** What all legs of an engine share. */
export interface LegSurroundings {
  readonly ticker: Ticker;
  readonly prompts: PromptStore;
  readonly holdMusic: HoldMusic;
  readonly rtpTimeoutMs: number;
  readonly log: Logger;
  /** The conference that now goes by this name. */
  room(name: string): ConferenceRoom;
  /** The leg has been closed and its socket with it; `files` resolves when its recordings are complete. */
  onClosed(leg: Leg, files: Promise<void>): void;
}

/**
 * What feeds the leg's outgoing stream. `relay` (the bridged leg's packets, sent on as they come) and `mix` (the
 * conference's tick) are driven from outside; `silence`, `digits`, `playback`, `music` and `supervise` need a tick of their own.
 */
type Feed = 'nothing' | 'silence' | 'relay' | 'mix' | 'digits' | 'playback' | 'music' | 'supervise';

/** The feeds that the leg's own tick drives. */
const TICKING: ReadonlySet<Feed> = new Set(['silence', 'digits', 'playback', 'music', 'supervise']);

interface RunningPlayback {
  readonly playback: Playback;
  readonly request: PlaybackRequest;
}

/** One object for all legs: packets are dealt with one at a time. */
const view = createRtpView();
const scratch = new Int16Array(FRAME_SAMPLES);
/** The source that silence comes from, as the sender tells its sources apart. */
const SILENCE = {};

/** One RTP port and the telephone behind it. */
export class Leg implements MediaLeg, Ticking, ConferenceMember {
  readonly localPort: number;
  readonly #socket: Socket;
  readonly #handlers: MediaLegHandlers;
  readonly #around: LegSurroundings;
  readonly #farSide = new FarSide();
  readonly #recordings = new LegRecordings();
  readonly #sender: LegSender;
  readonly #wideband = new WidebandReader();
  readonly #digitsOut = new DigitSender();
  readonly #digitsIn: DigitReceiver;
  readonly #silenceWatch: SilenceWatch;
  #held = false;
  #muted = false;
  #closed = false;
  #route: MediaRoute = { kind: 'silent' };
  /** The bridged leg, as long as it is bridged to us as well. */
  #peer: Leg | undefined;
  #room: ConferenceRoom | undefined;
  /** At whose leg this one listens. */
  #supervised: Leg | undefined;
  #supervision: Supervision | undefined;
  #feed: Feed = 'nothing';
  #stream: InboundStream | undefined;
  #jitter: JitterBuffer | undefined;
  #playing: RunningPlayback | undefined;
  #packetsReceived = 0;
  #packetsDropped = 0;
  #lostBefore = 0;

  constructor(socket: Socket, handlers: MediaLegHandlers, around: LegSurroundings) {
    this.localPort = socket.address().port;
    this.#socket = socket;
    this.#handlers = handlers;
    this.#around = around;
    this.#sender = new LegSender(socket, this.#farSide, this.#recordings);
    this.#digitsIn = new DigitReceiver(systemClock, (digit, durationMs) => {
      this.#tell(() => this.#handlers.onDigit(digit, durationMs));
    });
    this.#silenceWatch = new SilenceWatch(around.rtpTimeoutMs, () => {
      this.#tell(() => this.#handlers.onRtpTimeout());
    });
  }

  setRemote(remote: RemoteMedia): void {
    if (this.#closed) return;
    this.#farSide.set(remote);
    this.#refresh();
  }

  route(route: MediaRoute): void {
    if (this.#closed) return;
    const before = this.#route.kind === 'bridge' ? this.#route.other : undefined;
    this.#leaveRoom();
    this.#leaveSupervised();
    this.#route = route;
    if (route.kind === 'conference') this.#enterRoom(route.conference.name);
    if (route.kind === 'supervise') this.#supervise(route.agent, new Supervision(route.mode));
    this.#refresh();
    if (before instanceof Leg) before.#refresh();
    if (route.kind !== 'bridge') return;
    assert(route.other instanceof Leg, 'a bridged leg is of the same engine');
    route.other.#refresh();
  }

  setHeld(held: boolean): void {
    if (this.#closed || this.#held === held) return;
    this.#held = held;
    this.#refresh();
    if (this.#peer !== undefined) this.#peer.#refresh();
  }

  setMuted(muted: boolean): void {
    this.#muted = muted;
  }

  play(request: PlaybackRequest): void {
    this.stopPlaying();
    if (this.#closed) {
      this.#tellSoon(() => request.onEnded({ reason: 'stopped' }));
      return;
    }
    const { prompts, holdMusic } = this.#around;
    const playback = new Playback(
      request.sources,
      request.loops,
      (source) => loadSource(source, prompts, () => holdMusic.present),
      (frame, from, tick) => holdMusic.fill(frame, from, tick),
    );
    this.#playing = { playback, request };
    this.#refresh();
  }

  stopPlaying(): void {
    this.#endPlayback({ reason: 'stopped' });
  }

  sendDigit(digit: string, durationMs: number): void {
    if (this.#closed) return;
    if (!this.#digitsOut.push(digit, durationMs)) {
      this.#around.log.warn({ port: this.localPort }, 'a digit was not sent: no such key, or too many wait');
    }
    this.#refresh();
  }

  startRecording(request: RecordingRequest): void {
    const guarded: RecordingRequest = { ...request, onEnded: (result) => this.#tell(() => request.onEnded(result)) };
    if (!this.#closed) this.#recordings.start(guarded);
    else this.#tellSoon(() => request.onEnded({ reason: 'failed', error: 'the leg is closed', durationMs: 0 }));
  }

  stopRecording(path: string): boolean {
    return this.#recordings.stop(path);
  }

  maskRecording(path: string, masked: boolean): boolean {
    return this.#recordings.mask(path, masked);
  }

  stats(): { packetsReceived: number; packetsSent: number; packetsLost: number } {
    return {
      packetsReceived: this.#packetsReceived,
      packetsSent: this.#sender.packetsSent,
      packetsLost: this.#lostBefore + (this.#stream?.lost ?? 0),
    };
  }

  close(): void {
    if (this.#closed) return;
    this.stopPlaying();
    this.route({ kind: 'silent' });
    this.#closed = true;
    this.#refresh();
    this.#digitsIn.close();
    this.#socket.close();
    if (this.#packetsDropped > 0) {
      this.#around.log.debug({ port: this.localPort, packets: this.#packetsDropped }, 'RTP packets were dropped');
    }
    this.#around.onClosed(this, this.#recordings.close());
  }

  /** A packet has come to our port. */
  receive(packet: Buffer, from: RemoteInfo): void {
    if (this.#closed) return;
    const isRtp = parseRtp(packet, view) && this.#farSide.accepts(from);
    // Before any session description nothing is known of the far side, so nobody can claim to be it.
    const known = isRtp && this.#farSide.remote !== undefined;
    const kind = known ? this.#farSide.kindOf(view.payloadType) : undefined;
    const stream = kind === undefined ? undefined : this.#accept(view.ssrc, view.sequence);
    if (kind === undefined || stream === undefined) {
      this.#packetsDropped += 1;
      return;
    }
    if (this.#farSide.latch(from)) this.#refresh();
    const nowMs = performance.now();
    this.#silenceWatch.heard(nowMs);
    const sound = kind === 'event' ? kind : this.#listen(packet, stream, kind, nowMs);
    if (sound === 'event') this.#digitsIn.receive(packet, view.payloadStart, view.payloadEnd, view.timestamp);
    if (this.#peer !== undefined && this.#peer.#feed === 'relay') {
      if (sound !== 'event') this.#addSupervisor(packet, sound);
      this.#peer.#sender.relay(packet, view, stream, sound, nowMs);
    }
  }

  tick(index: number, nowMs: number): void {
    if (this.#feed === 'digits') this.#tickDigits(index, nowMs);
    else if (this.#feed === 'playback') this.#tickPlayback(index, nowMs);
    else if (this.#feed === 'silence') {
      scratch.fill(0);
      this.#sender.sendSamples(scratch, SILENCE, index, nowMs);
    } else if (this.#feed === 'supervise') {
      const source = this.#supervision;
      source?.fill(scratch);
      if (source !== undefined) this.#sender.sendSamples(scratch, source, index, nowMs);
    } else if (this.#feed === 'music') {
      this.#around.holdMusic.fill(scratch, 0, index);
      this.#sender.sendSamples(scratch, this.#around.holdMusic, index, nowMs);
    }
  }

  get mixLaw(): G711Law | undefined {
    return this.#feed === 'mix' && this.#sender.open ? this.#farSide.law : undefined;
  }

  takeSpeech(frame: Int16Array): boolean {
    const spoke = this.#jitter?.get(frame) ?? false;
    const joined = this.#sender.supervision?.addToSpeech(frame) ?? false;
    return (spoke || joined) && !this.#held && !this.#muted;
  }

  hearMix(payload: Uint8Array, source: object, tick: number, nowMs: number): void {
    this.#sender.sendEncoded(payload, source, tick, nowMs);
  }

  /** Hands a received packet to those who need its samples. */
  #listen(packet: Buffer, stream: InboundStream, codec: AudioCodec, nowMs: number): ReceivedSound {
    const { payloadStart, payloadEnd, timestamp } = view;
    const narrow = codec === 'G722' ? this.#wideband.read(stream, packet, payloadStart, payloadEnd) : undefined;
    const law = codec === 'G722' ? 'PCMA' : codec;
    const bytes = narrow ?? packet;
    const start = narrow === undefined ? payloadStart : 0;
    const end = narrow === undefined ? payloadEnd : narrow.length;
    const table = decodeTables[law];
    if (this.#recordings.active) this.#recordings.tap(SAID, stream, bytes, start, end, timestamp, table, nowMs);
    this.#jitter?.put(stream, bytes, start, end, timestamp, table);
    if (this.#sender.supervision !== undefined || this.#supervision !== undefined) {
      const sound = { source: stream, bytes, start, end, timestamp, law };
      this.#sender.supervision?.agentSays(sound);
      this.#supervision?.supervisorSays(sound);
    }
    return { law, narrow, altered: this.#sender.supervision !== undefined };
  }

  /** A supervisor who barges in is heard in what this leg says. */
  #addSupervisor(packet: Buffer, { law, narrow }: ReceivedSound): void {
    const { supervision } = this.#sender;
    if (narrow === undefined) supervision?.addToSaid(packet, view.payloadStart, view.payloadEnd, law);
    else supervision?.addToSaid(narrow, 0, narrow.length, law);
  }

  /** The stream that the packet belongs to, or undefined when it has been seen before. */
  #accept(ssrc: number, sequence: number): InboundStream | undefined {
    const stream = this.#stream;
    if (stream === undefined || stream.ssrc !== ssrc) {
      this.#lostBefore += stream?.lost ?? 0;
      this.#stream = new InboundStream(ssrc, sequence);
    } else if (stream.accept(sequence) === 'duplicate') return undefined;
    this.#packetsReceived += 1;
    return this.#stream;
  }

  #tickPlayback(index: number, nowMs: number): void {
    const running = this.#playing;
    if (running === undefined) return;
    const step = running.playback.fill(scratch, index);
    if (step === 'frame') this.#sender.sendSamples(scratch, running, index, nowMs);
    else if (step === 'done') this.#endPlayback({ reason: 'done' });
    else if (step === 'missing') {
      const { source, reason } = running.playback.missing;
      this.#around.log.warn({ source, reason }, 'could not be played');
      this.#endPlayback({ reason: 'missing', missing: source });
    }
  }

  #endPlayback(result: { readonly reason: 'done' | 'stopped' | 'missing'; readonly missing?: string }): void {
    const running = this.#playing;
    if (running === undefined) return;
    this.#playing = undefined;
    this.#refresh();
    this.#tellSoon(() => running.request.onEnded(result));
  }

  #tickDigits(index: number, nowMs: number): void {
    const step = this.#digitsOut.next();
    if (step !== undefined) this.#sender.sendDigit(step, this.#digitsOut, index, nowMs);
    if (!this.#digitsOut.active) this.#refresh();
  }

  #enterRoom(name: string): void {
    this.#room = this.#around.room(name);
    this.#jitter = new JitterBuffer();
    this.#room.join(this);
  }

  #leaveRoom(): void {
    this.#room?.leave(this);
    this.#room = undefined;
    this.#jitter = undefined;
  }

  #supervise(agent: MediaLeg, supervision: Supervision): void {
    assert(agent instanceof Leg && agent !== this, 'a supervised leg is another one of the same engine');
    this.#supervised = agent;
    this.#supervision = supervision;
    agent.#sender.supervision = supervision;
  }

  #leaveSupervised(): void {
    if (this.#supervised !== undefined && this.#supervised.#sender.supervision === this.#supervision) {
      this.#supervised.#sender.supervision = undefined;
    }
    this.#supervised = undefined;
    this.#supervision = undefined;
  }

  /** Works out anew what follows from route, hold, playback and the far side's wishes. */
  #refresh(): void {
    const active = !this.#held && !this.#closed;
    this.#sender.open = active && this.#farSide.listens;
    this.#peer = this.#bridgedPeer();
    this.#feed = this.#chooseFeed();
    if (TICKING.has(this.#feed) && !this.#closed) this.#around.ticker.add(this);
    else this.#around.ticker.remove(this);
    this.#silenceWatch.expect(active && this.#farSide.speaks);
  }

  #bridgedPeer(): Leg | undefined {
    const other = this.#route.kind === 'bridge' ? this.#route.other : undefined;
    if (!(other instanceof Leg) || other.#closed) return undefined;
    return other.#route.kind === 'bridge' && other.#route.other === this ? other : undefined;
  }

  #chooseFeed(): Feed {
    if (this.#digitsOut.active) return 'digits';
    if (this.#playing !== undefined) return 'playback';
    if (this.#room !== undefined) return 'mix';
    if (this.#supervision !== undefined) return this.#sender.open ? 'supervise' : 'nothing';
    // Carriers end calls that bring no RTP, and the leg's recording needs its time to go on.
    if (this.#route.kind === 'silent') return this.#sender.open ? 'silence' : 'nothing';
    if (this.#peer === undefined) return 'nothing';
    return this.#peer.#held ? 'music' : 'relay';
  }

  /** Handlers are never called in the middle of a call into the leg. */
  #tellSoon(call: () => void): void {
    queueMicrotask(() => this.#tell(call));
  }

  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      // A fault in the signalling half must not stop the media of all other calls.
      this.#around.log.error({ err: error, port: this.localPort }, 'a media handler failed');
    }
  }
}
