/** The few lines of SDP that the test phone needs (RFC 8866, RFC 3264). */
import { type Codec, codecOf, payloadTypes } from './codecs.ts';
import { telephoneEventType } from './media.ts';
import { srtpSuite } from './srtp.ts';
import type { SocketAddress } from './transport.ts';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface SessionDescription {
  readonly address: SocketAddress;
  /** Those that we know, in the order of the m= line. */
  readonly codecs: readonly Codec[];
  readonly telephoneEvents: boolean;
  readonly direction: Direction;
  /** For RTP/SAVP: the line of our suite (RFC 4568). */
  readonly crypto: CryptoLine | undefined;
}

export interface CryptoLine {
  readonly tag: number;
  /** Master key and salt in base64. */
  readonly inline: string;
}

export function writeSdp(session: SessionDescription & { readonly version: number }): string {
  const types = session.codecs.map((codec) => payloadTypes[codec]);
  const event = session.telephoneEvents ? [telephoneEventType] : [];
  return [
    'v=0',
    `o=phone ${session.address.port} ${session.version} IN IP4 ${session.address.host}`,
    's=-',
    `c=IN IP4 ${session.address.host}`,
    't=0 0',
    `m=audio ${session.address.port} RTP/${session.crypto === undefined ? 'AVP' : 'SAVP'} ${[...types, ...event].join(' ')}`,
    ...session.codecs.map((codec) => `a=rtpmap:${payloadTypes[codec]} ${codec}/8000`),
    ...(session.telephoneEvents
      ? [`a=rtpmap:${telephoneEventType} telephone-event/8000`, `a=fmtp:${telephoneEventType} 0-15`]
      : []),
    ...(session.crypto === undefined
      ? []
      : [`a=crypto:${session.crypto.tag} ${srtpSuite} inline:${session.crypto.inline}`]),
    'a=ptime:20',
    `a=${session.direction}`,
    '',
  ].join('\r\n');
}

/** @throws Error when there is no audio line with a connection address. */
export function readSdp(text: string): SessionDescription {
  const audio = /^m=audio (\d+) \S+ ([\d ]+)/m.exec(text);
  const host = /^c=IN IP4 (\S+)/m.exec(text)?.[1];
  if (audio === null || host === undefined) throw new Error(`no audio in this SDP:\n${text}`);
  const crypto = new RegExp(`^a=crypto:(\\d+) ${srtpSuite} inline:([A-Za-z0-9+/=]+)`, 'm').exec(text);
  const secure = /^m=audio \d+ RTP\/SAVP /m.test(text);
  const types = (audio[2] ?? '').trim().split(' ').map(Number);
  return {
    address: { host, port: Number(audio[1]) },
    codecs: types.map(codecOf).filter((codec) => codec !== undefined),
    telephoneEvents: /^a=rtpmap:\d+ telephone-event\/8000/m.test(text),
    direction: (/^a=(sendrecv|sendonly|recvonly|inactive)/m.exec(text)?.[1] ?? 'sendrecv') as Direction,
    crypto: secure && crypto !== null ? { tag: Number(crypto[1]), inline: crypto[2] ?? '' } : undefined,
  };
}
