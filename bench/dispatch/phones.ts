/** The load's light phones: registered agents who answer, and citizens who call and hang up. */
import { digestAnswer } from '../../test/support/phone/digest.ts';
import { addressOf, header, type SipMessage, userOf } from '../../test/support/phone/sip-message.ts';
import type { SocketAddress } from '../../test/support/phone/transport.ts';
import { addressIn, randomToken, responseOf, SipPort } from './sip-port.ts';
import type { Sound } from './sound.ts';

const registerMs = 5000;
const sdpType: [string, string] = ['Content-Type', 'application/sdp'];

function sdpOf(port: number): string {
  const lines = ['v=0', 'o=bench 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'];
  return [...lines, `m=audio ${port} RTP/AVP 8`, 'a=rtpmap:8 PCMA/8000', 'a=ptime:20', 'a=sendrecv', ''].join('\r\n');
}

/** Where the switch hears, by its SDP. */
function audioPortIn(message: SipMessage): number | undefined {
  const port = /^m=audio (\d+)/m.exec(message.body)?.[1];
  return port === undefined ? undefined : Number(port);
}

/** An INVITE at an agent's phone, at the moment of its arrival. */
export interface Offer {
  readonly agent: string;
  readonly callerNumber: string;
  /** Our service's own id of the call; none from mod_callcenter. */
  readonly callId: string;
}

export interface AgentHooks {
  onOffer(offer: Offer): void;
  /** The agent has answered and the switch has taken it. */
  onTalking(callerNumber: string): void;
  onEnd(callerNumber: string): void;
}

export interface AgentOptions {
  readonly server: SocketAddress;
  readonly domain: string;
  readonly ringMs: number;
  readonly sound: Sound;
  readonly hooks: AgentHooks;
}

interface AgentCall {
  readonly callerNumber: string;
  talking: boolean;
  readonly switchPort: number | undefined;
}

/** All agents' phones on one port: each INVITE rings and is answered. */
export class AgentPhones {
  readonly #options: AgentOptions;
  readonly #sip: SipPort;
  readonly #calls = new Map<string, AgentCall>();
  /** Calls whose phone is gone, by Call-ID. */
  readonly #vanished = new Set<string>();

  private constructor(options: AgentOptions, sip: SipPort) {
    this.#options = options;
    this.#sip = sip;
  }

  static async open(options: AgentOptions): Promise<AgentPhones> {
    let phones: AgentPhones | undefined;
    const sip = await SipPort.open((request, answer) => phones?.take(request, answer));
    phones = new AgentPhones(options, sip);
    return phones;
  }

  /** Registers one phone. @throws Error when the switch refuses or does not answer. */
  async register(user: string, password: string): Promise<void> {
    const { domain } = this.#options;
    const tag = randomToken();
    const uri = `sip:${domain}`;
    const send = (cseq: number, extra: readonly (readonly [string, string])[]): Promise<SipMessage> => {
      const headers: (readonly [string, string])[] = [
        ['From', `<sip:${user}@${domain}>;tag=${tag}`],
        ['To', `<sip:${user}@${domain}>`],
        ['Call-ID', tag],
        ['CSeq', `${cseq} REGISTER`],
        ['Contact', this.#sip.contact(user)],
        ['Expires', '3600'],
        ...extra,
      ];
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`REGISTER of ${user} was not answered`)), registerMs);
        this.#sip.request({ method: 'REGISTER', uri, headers, body: '' }, this.#options.server, (response) => {
          if ((response.status ?? 0) < 200) return;
          clearTimeout(late);
          resolve(response);
        });
      });
    };
    const challenged = await send(1, []);
    const challenge = header(challenged, 'WWW-Authenticate');
    const authorization = digestAnswer(challenge, { method: 'REGISTER', uri }, { user, password });
    const done = await send(2, [['Authorization', authorization]]);
    if (done.status !== 200) throw new Error(`REGISTER of ${user} got ${done.status} ${done.phrase}`);
  }

  close(): void {
    this.#sip.close();
  }

  /** The agent who talks with this caller loses his network: nothing is sent, answered or told any more. */
  vanish(callerNumber: string): void {
    for (const [callId, call] of this.#calls) {
      if (call.callerNumber !== callerNumber) continue;
      this.#vanished.add(callId);
      this.#calls.delete(callId);
      if (call.switchPort !== undefined) this.#options.sound.stop(call.switchPort);
    }
  }

  take(request: SipMessage, answer: (response: SipMessage) => void): void {
    const callId = header(request, 'Call-ID');
    if (this.#vanished.has(callId)) return;
    switch (request.method) {
      case 'INVITE':
        this.#ring(request, callId, answer);
        return;
      case 'ACK':
        this.#acknowledged(callId);
        return;
      case 'BYE':
      case 'CANCEL':
        answer(responseOf(request, 200, 'OK', randomToken()));
        this.#end(callId);
        return;
      default:
        answer(responseOf(request, 200, 'OK', randomToken()));
    }
  }

  #ring(invite: SipMessage, callId: string, answer: (response: SipMessage) => void): void {
    const { hooks, ringMs, sound } = this.#options;
    const agent = userOf(invite.uri ?? '');
    const callerNumber = userOf(header(invite, 'From'));
    const again = this.#calls.has(callId);
    const tag = randomToken();
    const contact: [string, string] = ['Contact', this.#sip.contact(agent)];
    if (!again) {
      hooks.onOffer({ agent, callerNumber, callId: header(invite, 'X-Yht-Call') });
      this.#calls.set(callId, { callerNumber, talking: false, switchPort: audioPortIn(invite) });
      answer(responseOf(invite, 180, 'Ringing', tag, [contact]));
    }
    const accept = (): void => {
      if (this.#calls.has(callId)) answer(responseOf(invite, 200, 'OK', tag, [contact, sdpType], sdpOf(sound.port)));
    };
    setTimeout(accept, again ? 0 : ringMs);
  }

  #acknowledged(callId: string): void {
    const call = this.#calls.get(callId);
    if (call === undefined || call.talking) return;
    call.talking = true;
    if (call.switchPort !== undefined) this.#options.sound.start(call.switchPort);
    this.#options.hooks.onTalking(call.callerNumber);
  }

  #end(callId: string): void {
    const call = this.#calls.get(callId);
    if (call === undefined) return;
    this.#calls.delete(callId);
    if (call.switchPort !== undefined) this.#options.sound.stop(call.switchPort);
    this.#options.hooks.onEnd(call.callerNumber);
  }
}

export interface CitizenHooks {
  /** The call is over; `asked` when the citizen hung up and the switch agreed. */
  onEnd(number: string, asked: boolean): void;
}

interface CitizenCall {
  readonly number: string;
  readonly callId: string;
  readonly from: string;
  to: string;
  target: string;
  answered: boolean;
  ended: boolean;
  switchPort: number | undefined;
}

/** All citizens' phones on one port, as one carrier. */
export class CitizenPhones {
  readonly #sip: SipPort;
  readonly #server: SocketAddress;
  readonly #sound: Sound;
  readonly #hooks: CitizenHooks;
  readonly #calls = new Map<string, CitizenCall>();
  readonly #vanished = new Set<string>();

  private constructor(sip: SipPort, server: SocketAddress, sound: Sound, hooks: CitizenHooks) {
    this.#sip = sip;
    this.#server = server;
    this.#sound = sound;
    this.#hooks = hooks;
  }

  static async open(server: SocketAddress, sound: Sound, hooks: CitizenHooks): Promise<CitizenPhones> {
    let phones: CitizenPhones | undefined;
    const sip = await SipPort.open((request, answer) => phones?.take(request, answer));
    phones = new CitizenPhones(sip, server, sound, hooks);
    return phones;
  }

  /** Calls the hotline. @returns the call's SIP Call-ID. */
  call(number: string, hotline: string): string {
    const { host, port } = this.#server;
    const callId = randomToken();
    const call: CitizenCall = {
      number,
      callId,
      from: `<sip:${number}@${host}>;tag=${randomToken()}`,
      to: `<sip:${hotline}@${host}>`,
      target: `sip:${hotline}@${host}:${port}`,
      answered: false,
      ended: false,
      switchPort: undefined,
    };
    this.#calls.set(number, call);
    const invite = this.#request(call, 'INVITE', 1, sdpOf(this.#sound.port));
    this.#sip.request(invite, this.#server, (response) => this.#onAnswer(call, response));
    return callId;
  }

  /** The citizen hangs up. */
  hangup(number: string): void {
    const call = this.#calls.get(number);
    if (call === undefined || call.ended) return;
    this.#sip.request(this.#request(call, 'BYE', 2), addressIn(call.target), (response) => {
      if ((response.status ?? 0) >= 200) this.#end(call, response.status === 200);
    });
  }

  /** The citizen's phone loses its network: nothing is sent, answered or told any more. */
  vanish(number: string): void {
    const call = this.#calls.get(number);
    if (call === undefined || call.ended) return;
    call.ended = true;
    this.#vanished.add(call.callId);
    this.#calls.delete(number);
    if (call.switchPort !== undefined) this.#sound.stop(call.switchPort);
  }

  take(request: SipMessage, answer: (response: SipMessage) => void): void {
    if (request.method === 'ACK' || this.#vanished.has(header(request, 'Call-ID'))) return;
    answer(responseOf(request, 200, 'OK', randomToken()));
    if (request.method !== 'BYE') return;
    const callId = header(request, 'Call-ID');
    for (const call of this.#calls.values()) if (call.callId === callId) this.#end(call, false);
  }

  close(): void {
    this.#sip.close();
  }

  #onAnswer(call: CitizenCall, response: SipMessage): void {
    const status = response.status ?? 0;
    if (status < 200) return;
    call.to = header(response, 'To');
    if (status >= 300) {
      this.#sip.sendOnly(this.#request(call, 'ACK', 1), this.#server);
      this.#end(call, false);
      return;
    }
    call.target = addressOf(header(response, 'Contact'));
    this.#sip.sendOnly(this.#request(call, 'ACK', 1), addressIn(call.target));
    if (call.answered) return;
    call.answered = true;
    call.switchPort = audioPortIn(response);
    if (call.switchPort !== undefined) this.#sound.start(call.switchPort);
  }

  #end(call: CitizenCall, asked: boolean): void {
    if (call.ended) return;
    call.ended = true;
    if (call.switchPort !== undefined) this.#sound.stop(call.switchPort);
    this.#hooks.onEnd(call.number, asked);
  }

  #request(call: CitizenCall, method: string, cseq: number, body = ''): SipMessage {
    const headers: (readonly [string, string])[] = [
      ['From', call.from],
      ['To', call.to],
      ['Call-ID', call.callId],
      ['CSeq', `${cseq} ${method}`],
      ['Contact', this.#sip.contact(call.number)],
      ...(body === '' ? [] : [sdpType]),
    ];
    return { method, uri: call.target, headers, body };
  }
}
