/** A person's place in the crowd: a signed-in desk and a registered phone. */
import { DeskClient } from '../hotline/desk-client.ts';
import type { IncomingCall } from '../phone/incoming-call.ts';
import { createPhone, type TestPhone } from '../phone/phone.ts';
import { testDomain } from '../switch.ts';
import type { Stage, StagePerson } from './stage.ts';

/** The tones by which everybody is known; none is a harmonic of another, and each has whole periods in 100 ms. */
export const tones = { citizen: 1000, agent: 440, subcentre: 1630, supervisor: 700 } as const;

const pingMs = 8_000;

export interface Ring {
  readonly seat: Seat;
  readonly callId: string;
  readonly call: IncomingCall;
  /** When it began (`performance.now`). */
  readonly atMs: number;
}

export class Seat {
  readonly person: StagePerson;
  readonly desk: DeskClient;
  readonly phone: TestPhone;

  readonly #pinging: NodeJS.Timeout;

  private constructor(person: StagePerson, desk: DeskClient, phone: TestPhone) {
    this.#pinging = setInterval(() => desk.ping(), pingMs);
    this.person = person;
    this.desk = desk;
    this.phone = phone;
  }

  /** Registers the phone and opens the desk; `onRing` is told of every call that comes to the phone. */
  static async open(stage: Stage, person: StagePerson, onRing: (ring: Ring) => void): Promise<Seat> {
    let seat: Seat | undefined;
    const phone = await createPhone({
      server: stage.switch.agents,
      user: person.extension,
      password: person.password,
      domain: testDomain,
      toneHz: person.role === 'supervisor' ? tones.supervisor : tones.agent,
      onCall: (call) => {
        call.ring();
        const atMs = performance.now();
        if (seat !== undefined) onRing({ seat, callId: call.header('X-Yht-Call'), call, atMs });
      },
    });
    const desk = new DeskClient(stage.service.webUrl, person.cookie, person.login);
    seat = new Seat(person, desk, phone);
    await phone.register({ expiresS: 3600 });
    await desk.open();
    return seat;
  }

  /** What a page does by itself when its server was away. */
  async reopen(webUrl: string): Promise<void> {
    this.desk.drop();
    this.desk.moveTo(webUrl);
    // What counts from now on is what the new server shows.
    this.desk.pushes.length = 0;
    await this.desk.open({ epoch: this.desk.epoch, lastSeq: this.desk.lastSeq });
  }

  async close(): Promise<void> {
    clearInterval(this.#pinging);
    this.desk.close();
    await this.phone.close();
  }
}
