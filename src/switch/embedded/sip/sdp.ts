/** Session descriptions: reading what the far side wants, writing ours (RFC 4566, RFC 3264, RFC 4733 section 2.4). */
import { parse } from 'sdp-transform';
import type { AudioCodec, RemoteMedia } from '../media/api.ts';

export type MediaDirection = RemoteMedia['direction'];

/** A media line of an offer that must come back in the answer, refused (RFC 3264 section 6). */
interface OtherMedia {
  readonly type: string;
  readonly protocol: string;
  readonly payloads: string;
}

export interface ReadSdp {
  readonly remote: RemoteMedia;
  /** All media lines of the description in order; the one that we take is `undefined`. */
  readonly lines: ReadonlyArray<OtherMedia | undefined>;
}

const STATIC_CODECS: ReadonlyMap<number, AudioCodec> = new Map([
  [0, 'PCMU'],
  [8, 'PCMA'],
  [9, 'G722'],
]);
/** In the order of our own offers: A-law first, as the public network of this country speaks it. */
const OFFERED_CODECS = [
  [8, 'PCMA'],
  [0, 'PCMU'],
  [9, 'G722'],
] as const;
const isOurs = (name: string): name is AudioCodec => OFFERED_CODECS.some(([, codec]) => codec === name);
/** What our own offers use; RFC 4733 leaves the number free, all the world takes 101. */
const TELEPHONE_EVENT_TYPE = 101;

type ParsedMedia = ReturnType<typeof parse>['media'][number];

/** The library gives whatever looks like a number as a number, whatever its types say. */
function asText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

const payloadsOf = (media: ParsedMedia): string => asText(media.payloads);

function findCodec(media: ParsedMedia): { codec: AudioCodec; payloadType: number } | undefined {
  for (const word of payloadsOf(media).split(' ')) {
    const payloadType = Number(word);
    const mapped = media.rtp.find((rtp) => rtp.payload === payloadType);
    const name = asText(mapped?.codec).toUpperCase();
    if (mapped === undefined) {
      const codec = word === '' ? undefined : STATIC_CODECS.get(payloadType);
      if (codec !== undefined) return { codec, payloadType };
    } else if (isOurs(name) && (mapped.rate ?? 8000) === 8000) {
      // G.722 too says 8000, although it is of 16 kHz (RFC 3551 section 4.5.2).
      return { codec: name, payloadType };
    }
  }
  return undefined;
}

function readDirection(word: string | undefined): MediaDirection | undefined {
  return word === 'sendrecv' || word === 'sendonly' || word === 'recvonly' || word === 'inactive' ? word : undefined;
}

function readAudio(session: ReturnType<typeof parse>, media: ParsedMedia): RemoteMedia | undefined {
  const codec = findCodec(media);
  const address = asText(media.connection?.ip ?? session.connection?.ip);
  if (codec === undefined || address === '') return undefined;
  const events = media.rtp.find(
    (rtp) => asText(rtp.codec).toLowerCase() === 'telephone-event' && (rtp.rate ?? 8000) === 8000,
  );
  const direction = readDirection(media.direction) ?? readDirection(session.direction) ?? 'sendrecv';
  return {
    address,
    port: media.port,
    ...codec,
    telephoneEventType: events?.payload,
    // RFC 2543 style hold: an all-zero address means "send me nothing".
    direction: address === '0.0.0.0' && direction === 'sendrecv' ? 'sendonly' : direction,
  };
}

/** Longer lines, and more of them, are no description of a phone's. */
const MAX_LINE_CHARACTERS = 1024;
const MAX_LINES = 512;
const READ_LINE = /^(?:[voscm]=|a=(?:rtpmap:|sendrecv|sendonly|recvonly|inactive))/;

/** Only what we read goes to the library: its patterns for the rest take long over hostile lines. */
function readableLines(text: string): string {
  const kept = text.split(/\r\n|\n|\r/).filter((line) => line.length <= MAX_LINE_CHARACTERS && READ_LINE.test(line));
  return kept.slice(0, MAX_LINES).join('\r\n');
}

function parseLeniently(text: string): ReturnType<typeof parse> | undefined {
  try {
    return parse(readableLines(text));
  } catch {
    // The library throws on some garbage; to us it is the same as a description without any audio.
    return undefined;
  }
}

/** Finds the first audio line that we can speak; undefined when there is none (488). */
export function readSdp(text: string): ReadSdp | undefined {
  const session = parseLeniently(text);
  if (session === undefined) return undefined;
  let remote: RemoteMedia | undefined;
  const lines: Array<OtherMedia | undefined> = [];
  for (const media of session.media) {
    const usable = remote === undefined && media.type === 'audio' && media.port > 0 && media.protocol === 'RTP/AVP';
    const audio = usable ? readAudio(session, media) : undefined;
    remote ??= audio;
    const other = { type: asText(media.type), protocol: asText(media.protocol), payloads: payloadsOf(media) || '0' };
    lines.push(audio === undefined ? other : undefined);
  }
  return remote === undefined ? undefined : { remote, lines };
}

/** The direction that answers an offered one (RFC 3264 section 6.1). */
export function answerDirection(offered: MediaDirection): MediaDirection {
  if (offered === 'sendonly') return 'recvonly';
  if (offered === 'recvonly') return 'sendonly';
  return offered;
}

/** Our own side of the description. */
export interface LocalSdp {
  readonly address: string;
  readonly port: number;
  readonly sessionId: number;
  /** Counts up with every description of the session that differs. */
  readonly version: number;
}

function writeAudioLine(
  port: number,
  codecs: ReadonlyArray<readonly [payload: number, codec: AudioCodec]>,
  eventType: number | undefined,
  direction: MediaDirection,
): string {
  const payloads = codecs.map(([payload]) => String(payload));
  if (eventType !== undefined) payloads.push(String(eventType));
  let text = `m=audio ${port} RTP/AVP ${payloads.join(' ')}\r\n`;
  for (const [payload, codec] of codecs) text += `a=rtpmap:${payload} ${codec}/8000\r\n`;
  if (eventType !== undefined) {
    text += `a=rtpmap:${eventType} telephone-event/8000\r\na=fmtp:${eventType} 0-15\r\n`;
  }
  return `${text}a=ptime:20\r\na=${direction}\r\n`;
}

function writeSession(local: LocalSdp): string {
  const family = local.address.includes(':') ? 'IP6' : 'IP4';
  return (
    `v=0\r\no=yihaotong ${local.sessionId} ${local.version} IN ${family} ${local.address}\r\n` +
    `s=yihaotong\r\nc=IN ${family} ${local.address}\r\nt=0 0\r\n`
  );
}

/** Our offer of all codecs. */
export function writeOffer(local: LocalSdp): string {
  return writeSession(local) + writeAudioLine(local.port, OFFERED_CODECS, TELEPHONE_EVENT_TYPE, 'sendrecv');
}

/** Our answer: the one codec chosen, every other media line refused in its place. */
export function writeAnswer(local: LocalSdp, offer: ReadSdp): string {
  const { remote } = offer;
  let text = writeSession(local);
  for (const line of offer.lines) {
    text +=
      line === undefined
        ? writeAudioLine(
            local.port,
            [[remote.payloadType, remote.codec]],
            remote.telephoneEventType,
            answerDirection(remote.direction),
          )
        : `m=${line.type} 0 ${line.protocol} ${line.payloads}\r\n`;
  }
  return text;
}

/** Whether the far side has put us on hold: it will not listen. */
export function isHold(direction: MediaDirection): boolean {
  return direction === 'sendonly' || direction === 'inactive';
}
