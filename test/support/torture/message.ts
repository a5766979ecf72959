/** One message of RFC 4475, the torture test for SIP parsers. */
export interface Torture {
  /** As the RFC names it. */
  readonly name: string;
  readonly section: string;
  readonly bytes: Buffer;
}

/** The session description that most of them carry. */
export const sdp = (address: string): string =>
  [
    'v=0',
    `o=mhandley 29739 7272939 IN IP4 ${address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    'm=audio 49217 RTP/AVP 0 12',
    'm=video 3227 RTP/AVP 31',
    'a=rtpmap:31 LPC',
    '',
  ].join('\r\n');

/** Puts a message together; the length of the body is added unless the lines speak of it themselves. */
export function torture(section: string, name: string, lines: readonly string[], body = ''): Torture {
  const announced = lines.some((line) => /^(l|content-length)\s*:/i.test(line));
  const length = announced ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  return { section, name, bytes: Buffer.from([...lines, ...length, '', body].join('\r\n')) };
}

/** An INVITE with a session description whose lines are given from the Via on. */
export function tortureInvite(section: string, name: string, start: string, lines: readonly string[]): Torture {
  return torture(section, name, [start, ...lines, 'Content-Type: application/sdp'], sdp('192.0.2.1'));
}
