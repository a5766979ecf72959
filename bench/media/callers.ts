/** Callers without sound of their own: they call, are answered, and hang up when they are told to. */
import { addressOf, header, type SipMessage } from '../../test/support/phone/sip-message.ts';
import type { SocketAddress } from '../../test/support/phone/transport.ts';
import { addressIn, randomToken, responseOf, SipPort } from '../dispatch/sip-port.ts';

const hotline = '12345';
const answerMs = 20_000;

export interface Caller {
  readonly callId: string;
  /** Where the switch hears him; resolves with its answer, rejects with the status of its refusal. */
  readonly answered: Promise<number>;
  hangup(): void;
}

function sdpOf(port: number): string {
  const lines = ['v=0', 'o=bench 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'];
  return [...lines, `m=audio ${port} RTP/AVP 0`, 'a=rtpmap:0 PCMU/8000', 'a=ptime:20', 'a=sendrecv', ''].join('\r\n');
}

export class Refused extends Error {
  override readonly name = 'Refused';
  readonly status: number;

  constructor(status: number, number: string) {
    super(`${number} got ${status}`);
    this.status = status;
  }
}

/** All callers on one SIP port. */
export class Callers {
  readonly #sip: SipPort;
  readonly #server: SocketAddress;

  private constructor(sip: SipPort, server: SocketAddress) {
    this.#sip = sip;
    this.#server = server;
  }

  /** @param onBye told the Call-ID when the switch hangs up */
  static async open(server: SocketAddress, onBye: (callId: string) => void = () => undefined): Promise<Callers> {
    const sip = await SipPort.open((request, answer) => {
      if (request.method !== 'ACK') answer(responseOf(request, 200, 'OK', randomToken()));
      if (request.method === 'BYE') onBye(header(request, 'Call-ID'));
    });
    return new Callers(sip, server);
  }

  /** @param rtpPort where he hears */
  call(number: string, rtpPort: number): Caller {
    const { host, port } = this.#server;
    const callId = randomToken();
    const from = `<sip:${number}@${host}>;tag=${randomToken()}`;
    let to = `<sip:${hotline}@${host}>`;
    let target = `sip:${hotline}@${host}:${port}`;
    const request = (method: string, cseq: number, body = ''): SipMessage => ({
      method,
      uri: target,
      headers: [
        ['From', from],
        ['To', to],
        ['Call-ID', callId],
        ['CSeq', `${cseq} ${method}`],
        ['Contact', this.#sip.contact(number)],
        ...(body === '' ? [] : [['Content-Type', 'application/sdp'] as [string, string]]),
      ],
      body,
    });
    const answered = new Promise<number>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${number} was not answered`)), answerMs);
      this.#sip.request(request('INVITE', 1, sdpOf(rtpPort)), this.#server, (response) => {
        const status = response.status ?? 0;
        if (status < 200) return;
        clearTimeout(late);
        to = header(response, 'To');
        if (status < 300) target = addressOf(header(response, 'Contact'));
        this.#sip.sendOnly(request('ACK', 1), status < 300 ? addressIn(target) : this.#server);
        const heard = /^m=audio (\d+)/m.exec(response.body)?.[1];
        if (status >= 300 || heard === undefined) reject(new Refused(status, number));
        else resolve(Number(heard));
      });
    });
    return {
      callId,
      answered,
      hangup: () => this.#sip.request(request('BYE', 2), addressIn(target), () => undefined),
    };
  }

  close(): void {
    this.#sip.close();
  }
}
