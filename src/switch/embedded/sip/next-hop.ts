/** Where a request to a known far end is sent. */
import { isIP } from 'node:net';
import type { SipEndpoint } from './endpoint.ts';
import type { Flow, SipProtocol } from './flow.ts';
import type { SipUri } from './values.ts';

/** RFC 1918, RFC 6598 and link-local addresses: unreachable from a public network. */
const PRIVATE_ADDRESS =
  /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|169\.254\.)/;

/**
 * An open connection, or what the URI says, or the way on which the far end was last heard where the URI can't be
 * used: a name can't be looked up in the middle of a call, and a private address behind a public source is behind NAT.
 */
export function chooseHop(endpoint: SipEndpoint, uri: SipUri | undefined, last: Flow): Flow {
  if (last.protocol !== 'udp' && last.open) return last;
  const source = last.remoteAddress;
  if (uri === undefined || isIP(uri.host) === 0) return endpoint.flowTo(last.protocol, source, last.remotePort);
  const sourceIsPublic = !PRIVATE_ADDRESS.test(source) && !source.startsWith('127.');
  if (PRIVATE_ADDRESS.test(uri.host) && sourceIsPublic) return endpoint.flowTo(last.protocol, source, last.remotePort);
  return endpoint.flowTo(protocolOf(uri), uri.host, uri.port ?? defaultPort(protocolOf(uri)));
}

/** The transport that a URI asks for (RFC 3261 section 19.1.1); `sips` means TLS (section 19.1). */
export function protocolOf(uri: SipUri): SipProtocol {
  const word = uri.parameters.get('transport')?.toLowerCase();
  if (word === 'tls' || uri.scheme === 'sips') return 'tls';
  return word === 'tcp' ? 'tcp' : 'udp';
}

/** RFC 3261 section 19.1.2. */
export const defaultPort = (protocol: SipProtocol): number => (protocol === 'tls' ? 5061 : 5060);
