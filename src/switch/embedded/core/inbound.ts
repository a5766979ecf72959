/** INVITEs that come in: checks, a channel, its media, the dialplan. */
import { errorChain } from '../../../kernel/errors.ts';
import { decodeValue } from '../../esl/wire.ts';
import { reasonHeader } from '../sip/call.ts';
import { InboundCall } from '../sip/inbound-call.ts';
import type { SipRequest } from '../sip/message.ts';
import { type ReadSdp, readSdp } from '../sip/sdp.ts';
import type { ServerTransaction } from '../sip/server-transaction.ts';
import { isTooShort, tooShortHeaders } from '../sip/session-timer.ts';
import type { SipUserAgent } from '../sip/user-agent.ts';
import { listValues, parseNameAddress, parseUri, parseVia } from '../sip/values.ts';
import { mediaHandlers, sipHandlers } from './call-handlers.ts';
import { Channel } from './channel.ts';
import { emitChannelEvent, type SwitchContext } from './context.ts';
import { hangup } from './lifecycle.ts';
import { enterPlace, isDialled } from './places.ts';

/** Headers of the caller that control may read: `variable_sip_h_<name>`. */
const PASSED_HEADER = /^(x-.+|user-to-user)$/i;

function partyVariables(channel: Channel, prefix: string, value: string | undefined): void {
  const party = parseNameAddress(value ?? '');
  const uri = parseUri(party?.uri ?? '');
  channel.variables.set(`sip_${prefix}_user`, uri?.user ?? '');
  channel.variables.set(`sip_${prefix}_host`, uri?.host ?? '');
  channel.variables.set(`sip_${prefix}_uri`, `${uri?.user ?? ''}@${uri?.host ?? ''}`);
  if (party !== undefined && party.displayName !== '') {
    channel.variables.set(`sip_${prefix}_display`, party.displayName);
  }
}

/** The caller's name as FreeSWITCH gives it: without the quotes, with its backslashes, URL codes decoded, harmless. */
function callerName(from: string): string {
  const open = from.lastIndexOf('<');
  const name = open === -1 ? '' : from.slice(0, open).trim();
  return decodeValue(/^".*"$/s.test(name) ? name.slice(1, -1) : name).replaceAll('${', '%{');
}

/** The caller's words as channel variables, under FreeSWITCH's names. */
function describeCaller(channel: Channel, request: SipRequest, transaction: ServerTransaction): void {
  const { headers } = request;
  const { flow } = transaction;
  const { variables } = channel;
  partyVariables(channel, 'from', headers.get('from'));
  partyVariables(channel, 'to', headers.get('to'));
  variables.set('sip_req_user', parseUri(request.uri)?.user ?? '');
  variables.set('sip_req_host', parseUri(request.uri)?.host ?? '');
  variables.set('sip_call_id', headers.get('call-id') ?? '');
  variables.set('sip_network_ip', flow.remoteAddress);
  variables.set('sip_network_port', String(flow.remotePort));
  variables.set('sip_received_ip', flow.remoteAddress);
  variables.set('sip_via_protocol', parseVia(listValues(headers.all('via'))[0] ?? '')?.transport.toLowerCase() ?? '');
  const userAgent = headers.get('user-agent');
  if (userAgent !== undefined) variables.set('sip_user_agent', userAgent);
  for (const [name, value] of headers) if (PASSED_HEADER.test(name)) variables.set(`sip_h_${name}`, value);
  channel.callerNumber = variables.get('sip_from_user') ?? '';
  channel.callerName = callerName(headers.get('from') ?? '') || channel.callerNumber;
}

function makeChannel(context: SwitchContext, agent: SipUserAgent, transaction: ServerTransaction): Channel {
  const { request } = transaction;
  const profile = agent.endpoint.name === 'agents' ? 'agents' : 'trunk';
  const from = parseUri(parseNameAddress(request.headers.get('from') ?? '')?.uri ?? '');
  const channel = new Channel(
    {
      uuid: context.ids.uuid(),
      direction: 'inbound',
      profile,
      name: `sofia/${profile}/${from?.user ?? ''}@${from?.host ?? ''}`,
      createdAtMs: context.clock.now(),
    },
    profile,
  );
  describeCaller(channel, request, transaction);
  channel.destination = parseUri(request.uri)?.user ?? '';
  channel.state = 'CS_INIT';
  channel.callState = 'RINGING';
  channel.variables.set('local_media_ip', agent.endpoint.localAddressFor(transaction.flow.remoteAddress));
  context.counters.channels += 1;
  return channel;
}

/** Whether the dialplan will keep this caller, so that he needs media at all. */
function isWanted(context: SwitchContext, channel: Channel): boolean {
  if (channel.context !== 'trunk') return isDialled(channel);
  return context.config().hotlineNumbers.includes(channel.destination);
}

async function attachMedia(context: SwitchContext, channel: Channel): Promise<void> {
  try {
    channel.media = await context.media.createLeg(mediaHandlers(context, channel));
  } catch (error) {
    context.counters.overload += 1;
    context.log.error({ uuid: channel.uuid, error: errorChain(error) }, 'no media for a caller');
    hangup(context, channel, 'SWITCH_CONGESTION');
    return;
  }
  if (channel.ended) {
    // The caller cancelled while the port was being opened.
    channel.media.close();
    return;
  }
  enterPlace(context, channel);
}

/**
 * Serves an INVITE outside of any dialog that has passed the side's own checks.
 * @param user the name that the caller has shown the password of; undefined for a carrier
 */
export function receiveInvite(
  context: SwitchContext,
  agent: SipUserAgent,
  transaction: ServerTransaction,
  user?: string,
): void {
  const { request } = transaction;
  if (context.channels.size >= context.config().limits.maxCalls) {
    context.counters.overload += 1;
    transaction.respond(503, { headers: [['Retry-After', '10'], reasonHeader(42, 'SWITCH_CONGESTION')] });
    return;
  }
  if (isTooShort(request.headers, agent.timerPolicy)) {
    transaction.respond(422, { headers: tooShortHeaders(agent.timerPolicy) });
    return;
  }
  let offer: ReadSdp | undefined;
  if (request.body !== '') {
    const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
    if (type !== 'application/sdp') {
      transaction.respond(415, { headers: [['Accept', 'application/sdp']] });
      return;
    }
    offer = readSdp(request.body);
  }
  transaction.respond(100);
  const channel = makeChannel(context, agent, transaction);
  if (user !== undefined) channel.variables.set('sip_auth_username', user);
  context.channels.set(channel.uuid, channel);
  channel.sip = new InboundCall({ agent, transaction, offer, handlers: sipHandlers(context, channel) });
  emitChannelEvent(context, 'CHANNEL_CREATE', channel);
  if (isWanted(context, channel)) void attachMedia(context, channel);
  else enterPlace(context, channel);
}
