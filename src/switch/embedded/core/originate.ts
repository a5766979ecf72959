/** Rings a phone or a gateway and parks it when it answers. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Timer } from '../../../kernel/clock.ts';
import { withDeadline } from '../../../kernel/deadline.ts';
import { errorChain } from '../../../kernel/errors.ts';
import type { Flow } from '../sip/flow.ts';
import { chooseHop, defaultPort, protocolOf } from '../sip/next-hop.ts';
import { OutboundCall } from '../sip/outbound-call.ts';
import type { SipUserAgent } from '../sip/user-agent.ts';
import { escapeUser, hostInUri, parseNameAddress, parseUri, quote } from '../sip/values.ts';
import { mediaHandlers, sipHandlers } from './call-handlers.ts';
import { Channel } from './channel.ts';
import { emitChannelEvent, type SwitchContext } from './context.ts';
import { hangup, localMedia } from './lifecycle.ts';
import type { DialString, OriginateOrder } from './originate-syntax.ts';
import { park } from './park.ts';
import type { PathedContact } from './path.ts';
import type { Registrar } from './registrar.ts';

/** FreeSWITCH's own default when `originate_timeout` isn't given. */
const DEFAULT_RING_SECONDS = 60;
const MAX_RING_SECONDS = 600;
const LOOKUP_DEADLINE_MS = 3_000;
/** `sip_h_X-Foo`: becomes the header X-Foo of the INVITE. */
const HEADER_VARIABLE = /^sip_h_([A-Za-z0-9-]{1,64})$/;

/** What originating needs beyond the core. */
export interface OriginateSurroundings {
  readonly context: SwitchContext;
  readonly registrar: Registrar;
  readonly trunk: SipUserAgent;
  readonly agents: SipUserAgent;
}

/** The way to the far end, found before a channel is made. */
interface Route {
  readonly agent: SipUserAgent;
  readonly flow: Flow;
  readonly uri: string;
  readonly to: string;
  /** Route values, the first hop first. */
  readonly path: readonly string[];
  readonly destination: string;
}

/** `+OK <uuid>` or `-ERR <CAUSE>`, as the BACKGROUND_JOB says it. */
type JobEnd = string;

async function routeToGateway(
  around: OriginateSurroundings,
  target: Extract<DialString, { kind: 'gateway' }>,
): Promise<Route | string> {
  const gateway = around.context.config().gateways.find((one) => one.name === target.gateway);
  if (gateway === undefined) return 'INVALID_GATEWAY';
  let address = gateway.host;
  if (isIP(address) === 0) {
    try {
      const found = await withDeadline('looking a gateway up', LOOKUP_DEADLINE_MS, lookup(gateway.host, { family: 4 }));
      address = found.address;
    } catch (error) {
      around.context.log.warn({ gateway: gateway.name, error: errorChain(error) }, 'the gateway has no address');
      return 'DESTINATION_OUT_OF_ORDER';
    }
  }
  const number = gateway.number ?? target.number;
  const place = `${escapeUser(number)}@${hostInUri(gateway.host)}:${gateway.port}`;
  return {
    agent: around.trunk,
    flow: around.trunk.endpoint.flowTo(gateway.transport, address, gateway.port, gateway.host),
    uri: `sip:${place}${gateway.transport === 'udp' ? '' : `;transport=${gateway.transport}`}`,
    to: `<sip:${place}>`,
    path: [],
    destination: number,
  };
}

function routeToPhone(around: OriginateSurroundings, target: Extract<DialString, { kind: 'phone' }>): Route | string {
  const binding = around.registrar.find(target.user);
  if (binding === undefined || target.domain !== around.context.config().domain) return 'USER_NOT_REGISTERED';
  return {
    agent: around.agents,
    flow: chooseHop(around.agents.endpoint, firstHop(binding), binding.flow),
    uri: binding.uri,
    path: binding.path,
    to: `<sip:${escapeUser(target.user)}@${target.domain}>`,
    destination: target.user,
  };
}

/** Where a request to a contact goes: to the proxy before it, if there is one. */
const firstHop = ({ uri, path }: PathedContact) => parseUri(parseNameAddress(path[0] ?? '')?.uri ?? uri);

/** A phone that registered at another switch. FreeSWITCH too tries it as the dial string says, known here or not. */
function routeToContact(
  around: OriginateSurroundings,
  target: Extract<DialString, { kind: 'contact' }>,
): Route | string {
  const hop = firstHop(target);
  if (hop === undefined || isIP(hop.host) === 0) return 'DESTINATION_OUT_OF_ORDER';
  const protocol = protocolOf(hop);
  return {
    agent: around.agents,
    flow: around.agents.endpoint.flowTo(protocol, hop.host, hop.port ?? defaultPort(protocol)),
    uri: target.uri,
    to: `<${target.uri}>`,
    path: target.path,
    destination: target.user,
  };
}

async function findRoute(around: OriginateSurroundings, target: DialString): Promise<Route | string> {
  if (target.kind === 'phone') return routeToPhone(around, target);
  return target.kind === 'contact' ? routeToContact(around, target) : await routeToGateway(around, target);
}

function makeChannel(around: OriginateSurroundings, order: OriginateOrder, route: Route, uuid: string): Channel {
  const { context } = around;
  const profile = route.agent === around.agents ? 'agents' : 'trunk';
  const identity = {
    uuid,
    direction: 'outbound',
    profile,
    name: `sofia/${profile}/${route.destination}`,
    createdAtMs: context.clock.now(),
  } as const;
  const channel = new Channel(identity, 'default');
  for (const [name, value] of order.variables) channel.variables.set(name, value);
  channel.callerNumber = order.variables.get('origination_caller_id_number') ?? '0000000000';
  channel.callerName = order.variables.get('origination_caller_id_name') ?? channel.callerNumber;
  channel.destination = route.destination;
  channel.state = 'CS_CONSUME_MEDIA';
  channel.callState = 'DIALING';
  channel.variables.set('sip_network_ip', route.flow.remoteAddress);
  channel.variables.set('sip_network_port', String(route.flow.remotePort));
  channel.variables.set('sip_to_user', route.destination);
  channel.variables.set('dialed_user', route.destination);
  channel.variables.set('sip_call_id', context.ids.uuid());
  channel.variables.set('local_media_ip', route.agent.endpoint.localAddressFor(route.flow.remoteAddress));
  context.counters.channels += 1;
  return channel;
}

function ringTimeoutMs(order: OriginateOrder): number {
  const text = order.variables.get('originate_timeout') ?? '';
  const seconds = /^\d{1,6}$/.test(text) && Number(text) > 0 ? Number(text) : DEFAULT_RING_SECONDS;
  return Math.min(seconds, MAX_RING_SECONDS) * 1000;
}

function dial(around: OriginateSurroundings, order: OriginateOrder, route: Route, channel: Channel): Promise<JobEnd> {
  const { context } = around;
  return new Promise((resolve) => {
    let timer: Timer | undefined;
    // Early sound parks the leg as an answer does: control may bridge it from then on, so the job must have ended.
    const arrive = (): void => {
      timer?.cancel();
      park(context, channel);
      resolve(`+OK ${channel.uuid}`);
    };
    const handlers = sipHandlers(context, channel, {
      onEarlyMedia(remote) {
        if (order.variables.get('ignore_early_media') === 'true') return;
        channel.media?.setRemote(remote);
        arrive();
      },
      onAnswered() {
        // One that sent sound before is where control has put it meanwhile.
        if (channel.activity.kind === 'setup') arrive();
      },
      onEnded(cause) {
        timer?.cancel();
        resolve(`-ERR ${cause}`);
      },
    });
    const media = localMedia(channel);
    if (media === undefined) throw new Error('a leg without media is dialled');
    // RFC 3327 section 5.4: the path that was kept is the route.
    const extraHeaders: Array<readonly [string, string]> = route.path.map((hop) => ['Route', hop] as const);
    for (const [name, value] of order.variables) {
      const header = HEADER_VARIABLE.exec(name)?.[1];
      if (header !== undefined) extraHeaders.push([header, value.replace(/[\r\n\0]/g, ' ')]);
    }
    const { domain } = context.config();
    const call = new OutboundCall({
      agent: route.agent,
      clock: context.clock,
      flow: route.flow,
      uri: route.uri,
      from: `${quote(channel.callerName)} <sip:${escapeUser(channel.callerNumber)}@${domain}>`,
      to: route.to,
      callId: channel.variables.get('sip_call_id') ?? channel.uuid,
      extraHeaders,
      media,
      handlers,
    });
    channel.sip = call;
    // Whoever ends the leg before the answer (uuid_kill, the time limit) must end the job as well.
    channel.activity = {
      kind: 'setup',
      leave: () => {
        timer?.cancel();
        queueMicrotask(() => resolve(`-ERR ${channel.variables.get('hangup_cause') ?? 'NORMAL_CLEARING'}`));
      },
    };
    timer = context.clock.setTimer(ringTimeoutMs(order), () => hangup(context, channel, 'NO_ANSWER'));
    call.start();
  });
}

/** Carries the order out; resolves when the phone has answered or can't be had any more. Never rejects. */
export async function originate(around: OriginateSurroundings, order: OriginateOrder): Promise<JobEnd> {
  const { context } = around;
  const { target } = order;
  const uuid = order.variables.get('origination_uuid') ?? context.ids.uuid();
  const route = await findRoute(around, target);
  if (typeof route === 'string') return `-ERR ${route}`;
  if (context.channels.has(uuid)) return '-ERR NORMAL_TEMPORARY_FAILURE';
  // What a caller who is in needs is made whatever else comes in; its number is bounded by those callers.
  const isThrottled = order.variables.get('no_throttle_limits') !== 'true';
  if (isThrottled && context.channels.size >= context.config().limits.maxCalls) {
    context.counters.overload += 1;
    return '-ERR SWITCH_CONGESTION';
  }
  const channel = makeChannel(around, order, route, uuid);
  context.channels.set(uuid, channel);
  emitChannelEvent(context, 'CHANNEL_CREATE', channel);
  try {
    channel.media = await context.media.createLeg(mediaHandlers(context, channel));
  } catch (error) {
    context.counters.overload += 1;
    context.log.error({ uuid, error: errorChain(error) }, 'no media for a leg');
    hangup(context, channel, 'SWITCH_CONGESTION');
    return '-ERR SWITCH_CONGESTION';
  }
  if (channel.ended) {
    channel.media.close();
    return `-ERR ${channel.variables.get('hangup_cause') ?? 'NORMAL_CLEARING'}`;
  }
  return dial(around, order, route, channel);
}
