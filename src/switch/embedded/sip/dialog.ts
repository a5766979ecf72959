/** Dialogs (RFC 3261 section 12): what two ends remember of each other between requests. */
import type { SipEndpoint } from './endpoint.ts';
import type { Flow } from './flow.ts';
import { SipHeaders, type SipRequest, type SipResponse } from './message.ts';
import { chooseHop } from './next-hop.ts';
import { listValues, parseCSeq, parseNameAddress, parseUri } from './values.ts';

/** RFC 3261 section 8.1.1.6. */
const MAX_FORWARDS = '70';

interface DialogState {
  readonly callId: string;
  /** Our From value in requests that we send, with tag. */
  readonly localParty: string;
  /** Their To value in requests that we send, with tag once known. */
  readonly remoteParty: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly routeSet: readonly string[];
  remoteTarget: string;
  localSequence: number;
  remoteSequence: number | undefined;
}

/** The tag of a From or To value. */
export function tagOf(party: string | undefined): string {
  return parseNameAddress(party ?? '')?.parameters.get('tag') ?? '';
}

function contactUri(headers: SipHeaders): string | undefined {
  return parseNameAddress(listValues(headers.all('contact'))[0] ?? '')?.uri;
}

export class Dialog {
  readonly #state: DialogState;
  /** The way on which the far end was last heard. */
  flow: Flow;

  private constructor(state: DialogState, flow: Flow) {
    this.#state = state;
    this.flow = flow;
  }

  /** Our half of a dialog that somebody else's INVITE makes (section 12.1.1). */
  static fromRequest(request: SipRequest, localTag: string, flow: Flow): Dialog {
    const { headers } = request;
    const from = headers.get('from') ?? '';
    return new Dialog(
      {
        callId: headers.get('call-id') ?? '',
        localParty: `${headers.get('to') ?? ''};tag=${localTag}`,
        remoteParty: from,
        localTag,
        remoteTag: tagOf(from),
        routeSet: listValues(headers.all('record-route')),
        remoteTarget: contactUri(headers) ?? parseNameAddress(from)?.uri ?? '',
        localSequence: Math.floor(Math.random() * 10_000),
        remoteSequence: parseCSeq(headers.get('cseq') ?? '')?.number,
      },
      flow,
    );
  }

  /** Our half of a dialog that a response to our INVITE makes (section 12.1.2). */
  static fromResponse(request: SipRequest, response: SipResponse, flow: Flow): Dialog {
    const to = response.headers.get('to') ?? request.headers.get('to') ?? '';
    return new Dialog(
      {
        callId: request.headers.get('call-id') ?? '',
        localParty: request.headers.get('from') ?? '',
        remoteParty: to,
        localTag: tagOf(request.headers.get('from')),
        remoteTag: tagOf(to),
        routeSet: listValues(response.headers.all('record-route')).reverse(),
        remoteTarget: contactUri(response.headers) ?? request.uri,
        localSequence: parseCSeq(request.headers.get('cseq') ?? '')?.number ?? 1,
        remoteSequence: undefined,
      },
      flow,
    );
  }

  get remoteTag(): string {
    return this.#state.remoteTag;
  }

  /** A request inside the dialog (section 12.2.1.1); its Via is put in by the endpoint. */
  makeRequest(method: string, extra: ReadonlyArray<readonly [string, string]> = []): SipRequest {
    this.#state.localSequence += 1;
    return this.#make(method, this.#state.localSequence, extra);
  }

  /** The ACK of the 2xx to our INVITE with that CSeq number (section 13.2.2.4). */
  makeAck(sequence: number): SipRequest {
    return this.#make('ACK', sequence, []);
  }

  #make(method: string, sequence: number, extra: ReadonlyArray<readonly [string, string]>): SipRequest {
    const { remoteTarget, routeSet } = this.#state;
    const first = parseNameAddress(routeSet[0] ?? '')?.uri;
    // A first route without lr is an RFC 2543 strict router: it wants to be the Request-URI itself.
    const strict = first !== undefined && parseUri(first)?.parameters.has('lr') === false;
    const routes = strict ? [...routeSet.slice(1), `<${remoteTarget}>`] : routeSet;
    const headers = new SipHeaders().add('Max-Forwards', MAX_FORWARDS);
    for (const route of routes) headers.add('Route', route);
    headers
      .add('From', this.#state.localParty)
      .add('To', this.#state.remoteParty)
      .add('Call-ID', this.#state.callId)
      .add('CSeq', `${sequence} ${method}`);
    for (const [name, value] of extra) headers.add(name, value);
    return { kind: 'request', method, uri: strict && first !== undefined ? first : remoteTarget, headers, body: '' };
  }

  /** Checks and notes the number of a request that came in (section 12.2.2); false when it is out of order. */
  acceptSequence(request: SipRequest): boolean {
    const number = parseCSeq(request.headers.get('cseq') ?? '')?.number ?? 0;
    const last = this.#state.remoteSequence;
    if (last !== undefined && number < last) return false;
    this.#state.remoteSequence = number;
    return true;
  }

  /** A target refresh: re-INVITE (section 12.2.2). */
  refreshTarget(headers: SipHeaders, flow: Flow): void {
    const target = contactUri(headers);
    if (target !== undefined) this.#state.remoteTarget = target;
    this.flow = flow;
  }

  /** Where the next request goes: an open connection, the first route, or the remote target. */
  nextHop(endpoint: SipEndpoint): Flow {
    const routeUri = parseNameAddress(this.#state.routeSet[0] ?? '')?.uri;
    return chooseHop(endpoint, parseUri(routeUri ?? this.#state.remoteTarget), this.flow);
  }
}
