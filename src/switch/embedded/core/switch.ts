/** The core of the switch put together: two SIP sides, the registrar and all channels. */
import type { Clock } from '../../../kernel/clock.ts';
import { withDeadline } from '../../../kernel/deadline.ts';
import { errorChain } from '../../../kernel/errors.ts';
import type { Ids } from '../../../kernel/ids.ts';
import type { Logger } from '../../../kernel/log.ts';
import type { SwitchCertificate } from '../../../kernel/sip-certificate.ts';
import type { EmbeddedSwitchConfig } from '../config.ts';
import type { MediaEngine } from '../media/api.ts';
import { SipUserAgent } from '../sip/user-agent.ts';
import { makeAcl } from './acl.ts';
import type { SwitchContext } from './context.ts';
import { EventBus } from './events.ts';
import { receiveInvite } from './inbound.ts';
import { hangup } from './lifecycle.ts';
import { originate } from './originate.ts';
import type { OriginateOrder } from './originate-syntax.ts';
import { Registrar } from './registrar.ts';

export interface SwitchCoreOptions {
  readonly config: EmbeddedSwitchConfig;
  /** Of `config.tls`. */
  readonly certificate?: SwitchCertificate;
  readonly media: MediaEngine;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
}

/** How long the far ends have to answer the BYE of a switch that stops. */
const GOODBYE_MS = 2_000;

export class SwitchCore {
  readonly context: SwitchContext;
  readonly registrar: Registrar;
  readonly trunk: SipUserAgent;
  readonly agents: SipUserAgent;
  readonly startedAtMs: number;
  /** Told when a leg is gone; the process decides whether it is still needed. */
  onChannelGone: (() => void) | undefined;
  #config: EmbeddedSwitchConfig;
  #isCarrier: (address: string) => boolean;
  #stopping = false;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(options: SwitchCoreOptions) {
    const { clock, log } = options;
    this.#config = options.config;
    this.#isCarrier = makeAcl(options.config.carriers);
    this.startedAtMs = clock.now();
    this.context = {
      config: () => this.#config,
      clock,
      ids: options.ids,
      log,
      media: options.media,
      events: new EventBus(options.ids),
      channels: new Map(),
      onChannelGone: () => this.onChannelGone?.(),
      conferences: new Map(),
      globals: new Map(),
      counters: { channels: 0, overload: 0, members: 0 },
    };
    this.registrar = new Registrar(this.context);
    const { bindAddress, trunkPort, agentsPort, tls, sessionExpiresS, minSessionExpiresS } = options.config;
    const { phoneTransfer: takesRefer } = options.config;
    const { certificate } = options;
    const secure = (port: number) => (certificate === undefined ? {} : { tls: { port, certificate } });
    const timerPolicy = { expiresS: sessionExpiresS, minimumS: minSessionExpiresS };
    const trunk = { name: 'trunk', bindAddress, port: trunkPort, ...secure(tls?.trunkPort ?? 0), clock, log };
    this.trunk = new SipUserAgent(trunk, timerPolicy, {
      admits: (address) => this.#isCarrier(address),
      onInvite: (transaction) => {
        if (this.#stopping) transaction.respond(503);
        else receiveInvite(this.context, this.trunk, transaction);
      },
      onRegister: undefined,
    });
    const agents = {
      name: 'agents',
      bindAddress,
      port: agentsPort,
      ...secure(tls?.agentsPort ?? 0),
      clock,
      log,
      takesRefer,
    };
    this.agents = new SipUserAgent(agents, timerPolicy, {
      admits: () => true,
      onInvite: (transaction) => {
        const user = this.#stopping ? undefined : this.registrar.authenticate(transaction, 407);
        if (this.#stopping) transaction.respond(503);
        else if (user !== undefined) receiveInvite(this.context, this.agents, transaction, user);
      },
      onRegister: (transaction) => this.registrar.register(transaction),
    });
  }

  /** Reads the settings file again. @returns `Success`, or what is wrong with it; then all stays as it was. */
  readSettings: () => string = () => 'there is no settings file';

  /** Takes new users, gateways, hotline numbers and carriers; addresses and ports stay. */
  reload(config: EmbeddedSwitchConfig): void {
    const { users, gateways, hotlineNumbers, carriers } = config;
    this.#config = { ...this.#config, users, gateways, hotlineNumbers, carriers };
    this.#isCarrier = makeAcl(carriers);
    this.registrar.reload();
  }

  /** Begins to tell that it is alive. */
  startHeartbeat(): void {
    this.#heartbeat = setInterval(() => {
      this.context.events.emit('HEARTBEAT', () => ({
        headers: [
          ['Event-Info', 'System Ready'],
          ['Session-Count', String(this.context.channels.size)],
          ['Session-Since-Startup', String(this.context.counters.channels)],
          ['Max-Sessions', String(this.#config.limits.maxCalls)],
          ['Heartbeat-Interval', String(this.#config.heartbeatMs / 1000)],
          ['Uptime-msec', String(this.context.clock.now() - this.startedAtMs)],
        ],
      }));
    }, this.#config.heartbeatMs);
    this.#heartbeat.unref();
  }

  /** Rings a phone; resolves with the words of its BACKGROUND_JOB. */
  originate(order: OriginateOrder): Promise<string> {
    if (this.#stopping) return Promise.resolve('-ERR NORMAL_TEMPORARY_FAILURE');
    return originate(this, order);
  }

  /** Ends all calls, waits shortly for the far ends' answers, closes the sockets. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#heartbeat);
    for (const channel of [...this.context.channels.values()]) hangup(this.context, channel, 'NORMAL_CLEARING');
    const answered = Promise.all([this.trunk.whenIdle(), this.agents.whenIdle()]);
    try {
      await withDeadline('saying goodbye', GOODBYE_MS, answered);
    } catch (error) {
      this.context.log.warn({ error: errorChain(error) }, 'some far ends did not answer the last BYE');
    }
    this.registrar.close();
    await Promise.all([this.trunk.endpoint.close(), this.agents.endpoint.close()]);
  }
}
