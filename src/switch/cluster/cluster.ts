import type { Clock, Timer } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/log.ts';
import { err, ok, type Result } from '../../kernel/result.ts';
import type {
  LegId,
  LegRole,
  LinkEvent,
  OriginateRequest,
  PhoneBans,
  PlayRequest,
  RegistrationEvent,
  SuperviseMode,
  SwitchEvent,
  SwitchFailure,
  SwitchListener,
  SwitchNode,
  SwitchReply,
  TelephoneSwitch,
} from '../port.ts';
import { PhoneBook } from './phone-book.ts';

export interface ClusterOptions {
  /** One adapter per node; names are for the log. */
  readonly nodes: readonly { readonly name: string; readonly telephone: TelephoneSwitch }[];
  /** A node that is away for so long while another is there counts as dead, and its legs as ended. */
  readonly nodeLostMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Node {
  readonly name: string;
  readonly telephone: TelephoneSwitch;
  state: SwitchNode['state'];
  lostTimer: Timer | undefined;
}

type LinkUp = Extract<LinkEvent, { type: 'linkUp' }>;

const expireEveryMs = 10_000;

const fails = (kind: SwitchFailure['kind'], message: string): SwitchReply => Promise.resolve(err({ kind, message }));

/**
 * Several switch nodes behind one port. A call lives on one node: that of its citizen's leg, where all its further legs
 * are rung, so bridges and conferences are always within a node. A phone that registered on another node is rung at its
 * contact.
 *
 * Owned here: which leg is on which node (told by the nodes' events and snapshots, so a restarted control learns it
 * anew), and the list of phones. A node whose link breaks keeps its legs until it returns, or until `nodeLostMs` have
 * passed while another node is up; then they are told as ended. Without any node nothing is concluded: then it is
 * rather control that is cut off.
 */
class Cluster implements TelephoneSwitch {
  readonly #options: ClusterOptions;
  readonly #nodes: readonly Node[];
  readonly #legs = new Map<LegId, Node>();
  readonly #phones = new PhoneBook();
  #listener: SwitchListener | undefined;
  #expiry: Timer | undefined;
  #closed = false;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#nodes = options.nodes.map(({ name, telephone }) => ({
      name,
      telephone,
      state: 'down',
      lostTimer: undefined,
    }));
  }

  get connected(): boolean {
    return this.#nodes.some((node) => node.telephone.connected);
  }

  nodes(): SwitchNode[] {
    return this.#nodes.map((node) => ({
      name: node.name,
      state: node.state,
      legs: [...this.#legs.values()].filter((at) => at === node).length,
    }));
  }

  reaches(leg: LegId): boolean {
    return this.#legs.get(leg)?.telephone.connected ?? false;
  }

  start(listener: SwitchListener): void {
    this.#listener = listener;
    for (const node of this.#nodes) {
      node.telephone.start({
        onLeg: (event) => this.#onLeg(node, event),
        onRegistration: (event) => this.#onRegistration(node, event),
        onLink: (event) => (event.type === 'linkUp' ? this.#onUp(node, event) : this.#onDown(node, event)),
      });
    }
    this.#expireSoon();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#expiry?.cancel();
    for (const node of this.#nodes) node.lostTimer?.cancel();
    await Promise.all(this.#nodes.map((node) => node.telephone.close()));
  }

  async exists(leg: LegId): Promise<Result<boolean, SwitchFailure>> {
    const at = this.#legs.get(leg);
    const reply = at === undefined ? await this.#existsAnywhere(leg) : await at.telephone.exists(leg);
    if (reply.ok && !reply.value) this.#legs.delete(leg);
    return reply;
  }

  answer(leg: LegId): SwitchReply {
    return this.#on(leg, (telephone) => telephone.answer(leg));
  }

  hangup(leg: LegId, cause: string): SwitchReply {
    return this.#on(leg, (telephone) => telephone.hangup(leg, cause));
  }

  async originate(request: OriginateRequest): SwitchReply {
    const { beside } = request;
    const node = beside === undefined ? this.#nodes.find((one) => one.telephone.connected) : this.#legs.get(beside);
    if (node === undefined) return this.#nowhere(beside ?? request.leg);
    this.#legs.set(request.leg, node);
    const reply = await node.telephone.originate({ ...request, target: this.#targetFrom(node, request.target) });
    // Without an answer in time it may still ring.
    if (!reply.ok && reply.error.kind !== 'deadline') this.#legs.delete(request.leg);
    return reply;
  }

  bridge(a: LegId, b: LegId): SwitchReply {
    return this.#on(a, (telephone) =>
      (this.#legs.get(b)?.telephone ?? telephone) === telephone
        ? telephone.bridge(a, b)
        : fails('refused', 'the legs are on different nodes'),
    );
  }

  park(leg: LegId, both: boolean): SwitchReply {
    return this.#on(leg, (telephone) => telephone.park(leg, both));
  }

  joinConference(leg: LegId, conference: string, both: boolean): SwitchReply {
    return this.#on(leg, (telephone) => telephone.joinConference(leg, conference, both));
  }

  answerRefer(leg: LegId, by: LegId, accepted: boolean): SwitchReply {
    return this.#on(leg, (telephone) => telephone.answerRefer(leg, by, accepted));
  }

  takeLine(leg: LegId, callId: string): SwitchReply {
    return this.#on(leg, (telephone) => telephone.takeLine(leg, callId));
  }

  attendedTransfer(leg: LegId, allowed: boolean): SwitchReply {
    return this.#on(leg, (telephone) => telephone.attendedTransfer(leg, allowed));
  }

  supervise(leg: LegId, agentLeg: LegId, mode: SuperviseMode): SwitchReply {
    return this.#on(agentLeg, (telephone) => telephone.supervise(leg, agentLeg, mode));
  }

  claim(leg: LegId, role: LegRole): SwitchReply {
    return this.#on(leg, (telephone) => telephone.claim(leg, role));
  }

  disarm(leg: LegId): SwitchReply {
    return this.#on(leg, (telephone) => telephone.disarm(leg));
  }

  play(request: PlayRequest): SwitchReply {
    return this.#on(request.leg, (telephone) => telephone.play(request));
  }

  stopPlaying(leg: LegId): SwitchReply {
    return this.#on(leg, (telephone) => telephone.stopPlaying(leg));
  }

  startRecording(leg: LegId, path: string): SwitchReply {
    return this.#on(leg, (telephone) => telephone.startRecording(leg, path));
  }

  stopRecording(leg: LegId, path: string): SwitchReply {
    return this.#on(leg, (telephone) => telephone.stopRecording(leg, path));
  }

  pauseRecording(leg: LegId, path: string): SwitchReply {
    return this.#on(leg, (telephone) => telephone.pauseRecording(leg, path));
  }

  resumeRecording(leg: LegId, path: string): SwitchReply {
    return this.#on(leg, (telephone) => telephone.resumeRecording(leg, path));
  }

  banPhones(bans: PhoneBans): SwitchReply {
    if (bans.size === 0) return Promise.resolve(ok(undefined));
    return fails('refused', 'the nodes can’t tell phones apart behind Kamailio, which limits them');
  }

  /** A node that is not there reads it when it starts, and is told again when its link is up. */
  async readPhones(): SwitchReply {
    const there = this.#nodes.filter((node) => node.telephone.connected);
    const replies = await Promise.all(there.map((node) => node.telephone.readPhones()));
    return replies.find((reply) => !reply.ok) ?? ok(undefined);
  }

  #on(leg: LegId, command: (telephone: TelephoneSwitch) => SwitchReply): SwitchReply {
    const node = this.#legs.get(leg);
    return node === undefined ? this.#nowhere(leg) : command(node.telephone);
  }

  /** A leg of an earlier process may be on a node that has not told its legs yet. */
  #nowhere(leg: LegId): SwitchReply {
    const waited = this.#nodes.find((node) => node.state === 'down');
    return waited === undefined
      ? fails('gone', `no node has the leg ${leg}`)
      : fails('link-down', `the leg may be on ${waited.name}, which is not connected`);
  }

  /** Only when every node that may have it says no is the leg gone. */
  async #existsAnywhere(leg: LegId): Promise<Result<boolean, SwitchFailure>> {
    const replies = await Promise.all(
      this.#nodes.filter((node) => node.state !== 'lost').map((node) => node.telephone.exists(leg)),
    );
    const failed = replies.find((reply) => !reply.ok);
    return replies.some((reply) => reply.ok && reply.value) ? ok(true) : (failed ?? ok(false));
  }

  /** A phone that registered on this node is rung as its own, one of another node at its contact. */
  #targetFrom(node: Node, target: OriginateRequest['target']): OriginateRequest['target'] {
    if (target.kind !== 'phone') return target;
    const binding = this.#phones.find(target.user, this.#options.clock.now());
    return binding === undefined || (binding.node === node.name && !binding.forgotten)
      ? target
      : { kind: 'contact', user: target.user, contact: binding.contact };
  }

  #onLeg(node: Node, event: SwitchEvent): void {
    if (event.type === 'legEnded') this.#legs.delete(event.leg);
    else this.#legs.set(event.leg, node);
    this.#listener?.onLeg(event);
  }

  #onRegistration(node: Node, event: RegistrationEvent): void {
    // Kamailio stands before the nodes: theirs is the only source that they see, and it limits the phones by itself.
    if (event.type === 'passwordShown') return;
    if (this.#phones.apply(node.name, event)) this.#listener?.onRegistration(event);
  }

  #onUp(node: Node, event: LinkUp): void {
    node.state = 'up';
    node.lostTimer?.cancel();
    node.lostTimer = undefined;
    for (const { leg } of event.snapshot.legs) this.#legs.set(leg, node);
    this.#phones.replace(node.name, event.snapshot.registrations);
    this.#tellUp(node, event);
    // Those that went while nobody was there to compare them with.
    for (const other of this.#nodes) if (other.state === 'down') this.#watch(other);
  }

  #onDown(node: Node, event: Extract<LinkEvent, { type: 'linkDown' }>): void {
    node.state = 'down';
    this.#watch(node);
    this.#listener?.onLink({ ...event, reason: `${node.name}: ${event.reason}` });
  }

  #watch(node: Node): void {
    node.lostTimer ??= this.#options.clock.setTimer(this.#options.nodeLostMs, () => {
      node.lostTimer = undefined;
      if (node.state !== 'down' || this.#closed || !this.connected) return;
      node.state = 'lost';
      for (const [leg, at] of this.#legs) if (at === node) this.#legs.delete(leg);
      this.#options.log.error({ node: node.name }, 'the switch node is lost: its calls are over');
      const snapshot = { startedAtMs: undefined, legs: [], registrations: [] };
      this.#tellUp(node, { type: 'linkUp', snapshot, lost: node.name, atMs: this.#options.clock.now() });
    });
  }

  /** Control compares with one node's legs at a time; of the others' it hears nothing. */
  #tellUp(node: Node, event: LinkUp): void {
    const elsewhere = (leg: LegId): boolean => (this.#legs.get(leg) ?? node) !== node;
    const registrations = this.#phones.all(this.#options.clock.now());
    this.#listener?.onLink({ ...event, snapshot: { ...event.snapshot, registrations }, elsewhere });
  }

  /** The expiry of a phone whose node is not there any more is told by nobody else. */
  #expireSoon(): void {
    const { clock } = this.#options;
    this.#expiry = clock.setTimer(expireEveryMs, () => {
      const atMs = clock.now();
      for (const { user, contact } of this.#phones.expire(atMs)) {
        this.#listener?.onRegistration({ type: 'unregistered', user, contact, atMs });
      }
      this.#expireSoon();
    });
  }
}

/** Makes one switch port of several nodes. Nothing happens before `start`. */
export function createCluster(options: ClusterOptions): TelephoneSwitch {
  return new Cluster(options);
}
