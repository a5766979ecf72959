import type { RemoteInfo } from 'node:dgram';
import { isIP } from 'node:net';
import type { G711Law } from '../rtp/g711.ts';
import type { AudioCodec, RemoteMedia } from './api.ts';

/** Where the far side of a leg is and what it wants. */
export class FarSide {
  #remote: RemoteMedia | undefined;
  /** Where packets go; empty while there is nowhere. */
  #address = '';
  #port = 0;
  /** The target is proven by a packet from there; nobody else is listened to then. */
  #latched = false;

  get remote(): RemoteMedia | undefined {
    return this.#remote;
  }

  /** The law of G.711 in which it is spoken to inside the engine: a far side with G.722 is spoken to in A-law. */
  get law(): G711Law | undefined {
    const codec = this.#remote?.codec;
    return codec === 'G722' ? 'PCMA' : codec;
  }

  get address(): string {
    return this.#address;
  }

  get port(): number {
    return this.#port;
  }

  /** It wants to be sent to, and there is somewhere to send. */
  get listens(): boolean {
    const direction = this.#remote?.direction;
    return this.#address !== '' && (direction === 'sendrecv' || direction === 'recvonly');
  }

  /** It is going to send. */
  get speaks(): boolean {
    const direction = this.#remote?.direction;
    return direction === 'sendrecv' || direction === 'sendonly';
  }

  /** Takes a new session description. Until a packet shows where it really is, we send to where it says or last was. */
  set(remote: RemoteMedia): void {
    const moved = this.#remote?.address !== remote.address || this.#remote.port !== remote.port;
    this.#remote = remote;
    this.#latched = false;
    if (!moved) return;
    // RFC 3264 section 8.4: the address 0.0.0.0 is the old way of saying "send nothing".
    const usable = isIP(remote.address) !== 0 && remote.address !== '0.0.0.0' && remote.address !== '::';
    this.#address = usable && remote.port > 0 && remote.port < 65_536 ? remote.address : '';
    this.#port = remote.port;
  }

  /** May this packet be its? After the first one only its own address speaks for it, or the one that it announced. */
  accepts(from: RemoteInfo): boolean {
    return !this.#latched || this.#isTarget(from) || this.#isAnnounced(from);
  }

  /**
   * Symmetric RTP (RFC 4961): what comes from there goes back there, whatever the description said. But a packet from
   * the very address that was announced outdoes everybody: a phone whose call died with an earlier switch may still
   * be sending to this port, and must not be taken for the new caller.
   * @returns true when the target is a new one.
   */
  latch(from: RemoteInfo): boolean {
    if (this.#latched && (this.#isTarget(from) || !this.#isAnnounced(from))) return false;
    this.#latched = true;
    this.#address = from.address;
    this.#port = from.port;
    return true;
  }

  #isTarget(from: RemoteInfo): boolean {
    return from.port === this.#port && from.address === this.#address;
  }

  #isAnnounced(from: RemoteInfo): boolean {
    return from.port === this.#remote?.port && from.address === this.#remote.address;
  }

  /**
   * What a received payload type means: the negotiated one, or a static one of RFC 3551 that needs no negotiation. G.722
   * has a memory in both ends and is taken only where it was agreed.
   */
  kindOf(payloadType: number): AudioCodec | 'event' | undefined {
    if (payloadType === this.#remote?.telephoneEventType) return 'event';
    if (payloadType === this.#remote?.payloadType) return this.#remote.codec;
    return payloadType === 8 ? 'PCMA' : payloadType === 0 ? 'PCMU' : undefined;
  }
}
