import type { RemoteInfo, Socket } from 'node:dgram';
import { errorChain } from '../../../kernel/errors.ts';
import { PortPool } from '../rtp/ports.ts';
import { openRtpSocket } from '../rtp/socket.ts';
import type { MediaConference, MediaEngine, MediaEngineOptions, MediaLeg, MediaLegHandlers } from './api.ts';
import { ConferenceRoom } from './conference.ts';
import { HoldMusic } from './hold-music.ts';
import { Leg, type LegSurroundings } from './leg.ts';
import { PromptStore } from './prompt-store.ts';
import { Ticker } from './ticker.ts';

/** So many ports in a row held by other programs mean that the range is not ours. */
const MAX_BIND_ATTEMPTS = 16;

class Engine implements MediaEngine {
  readonly #options: MediaEngineOptions;
  readonly #ports: PortPool;
  readonly #ticker: Ticker;
  readonly #prompts = new PromptStore();
  readonly #holdMusic: HoldMusic;
  readonly #rooms = new Map<string, ConferenceRoom>();
  readonly #legs = new Set<Leg>();
  /** Recordings of closed legs that are still being written. */
  readonly #files = new Set<Promise<void>>();
  readonly #surroundings: LegSurroundings;
  #closed = false;

  constructor(options: MediaEngineOptions) {
    this.#options = options;
    this.#ports = new PortPool(options.rtpPortMin, options.rtpPortMax, () => performance.now());
    this.#ticker = new Ticker((error) => options.log.error({ err: error }, 'a leg failed in the media clock'));
    this.#holdMusic = new HoldMusic(this.#prompts, options.log);
    this.#surroundings = {
      ticker: this.#ticker,
      prompts: this.#prompts,
      holdMusic: this.#holdMusic,
      rtpTimeoutMs: options.rtpTimeoutMs,
      log: options.log,
      room: (name) => this.#room(name),
      onClosed: (leg, files) => {
        this.#legs.delete(leg);
        this.#ports.release(leg.localPort);
        this.#files.add(files);
        void files.finally(() => this.#files.delete(files));
      },
    };
  }

  async createLeg(handlers: MediaLegHandlers): Promise<MediaLeg> {
    let leg: Leg | undefined;
    const onPacket = (packet: Buffer, from: RemoteInfo): void => leg?.receive(packet, from);
    const socket = await this.#openSocket(onPacket);
    if (this.#closed) {
      socket.close();
      throw new Error('The media engine is closed');
    }
    leg = new Leg(socket, handlers, this.#surroundings);
    this.#legs.add(leg);
    return leg;
  }

  conference(name: string): MediaConference {
    return this.#room(name);
  }

  setHoldMusic(path: string): void {
    this.#holdMusic.set(path);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const leg of [...this.#legs]) leg.close();
    await Promise.all(this.#files);
  }

  #room(name: string): ConferenceRoom {
    const known = this.#rooms.get(name);
    if (known !== undefined) return known;
    const room = new ConferenceRoom(name, this.#ticker, () => this.#rooms.delete(name));
    this.#rooms.set(name, room);
    return room;
  }

  async #openSocket(onPacket: (packet: Buffer, from: RemoteInfo) => void): Promise<Socket> {
    const { bindAddress, rtpPortMin, rtpPortMax, log } = this.#options;
    for (let attempt = 0; attempt < MAX_BIND_ATTEMPTS; attempt += 1) {
      const port = this.#ports.take();
      if (port === undefined) break;
      try {
        return await openRtpSocket(bindAddress, port, onPacket, (error) => {
          log.warn({ port, reason: errorChain(error) }, 'an RTP socket reported an error');
        });
      } catch (error) {
        this.#ports.setAside(port);
        log.warn({ port, reason: errorChain(error) }, 'an RTP port could not be opened');
      }
    }
    throw new Error(`No RTP port is free on ${bindAddress} between ${rtpPortMin} and ${rtpPortMax}`);
  }
}

/**
 * The media half of the embedded switch.
 * @throws Error when the port range holds no even port.
 */
export function createMediaEngine(options: MediaEngineOptions): MediaEngine {
  return new Engine(options);
}
