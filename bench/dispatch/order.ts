/** What the benchmark's processes tell each other. */
import type { SocketAddress } from '../../test/support/phone/transport.ts';

/** The load of one round. */
export interface LoadPlan {
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly talkMs: number;
  /** The agent's phone rings this long before it answers. */
  readonly ringMs: number;
  /** Calls before the counted ones, at the same rate: programs just started are slower. */
  readonly warmUpCalls: number;
  /** Phones speak: 50 packets of G.711 a second from every leg that talks. */
  readonly sound: boolean;
}

export interface LoadAgent {
  readonly user: string;
  readonly password: string;
  /** The desk's session token; none where there are no desks. */
  readonly session: string | undefined;
}

/** Everything that the load generator needs to know. */
export interface LoadOrder {
  readonly plan: LoadPlan;
  readonly trunk: SocketAddress;
  readonly agentsSide: SocketAddress;
  readonly domain: string;
  readonly esl: SocketAddress & { readonly password: string };
  readonly agents: readonly LoadAgent[];
  readonly webUrl: string | undefined;
}

/** One counted call; times in milliseconds by the generator's one clock. */
export interface CallMarks {
  readonly invitedAt: number;
  /** The switch's event that the caller waits reached the generator. */
  readonly waitsAt: number | undefined;
  /** The same event by the switch's own time stamp in it: before it went through the Event Socket. */
  readonly stampedAt: number | undefined;
  /** The first INVITE reached an agent's phone. */
  readonly offeredAt: number | undefined;
  /** The pop reached the desk of that agent. */
  readonly poppedAt: number | undefined;
  readonly bridged: boolean;
  /** Both phones had their whole talk and its end. */
  readonly ended: boolean;
  readonly offers: number;
}

export interface LoadResult {
  readonly calls: readonly CallMarks[];
  /** The first call of all, before programs were warm. */
  readonly first: CallMarks | undefined;
  /** How late the generator's own event loop ran, p99 in milliseconds: its share in the figures. */
  readonly generatorDelayMsP99: number;
  readonly generatorCpuPercent: number;
}

/** What the generator says. */
export type FromLoad =
  | { readonly type: 'ready' }
  | { readonly type: 'done'; readonly result: LoadResult }
  | { readonly type: 'failed'; readonly message: string };
