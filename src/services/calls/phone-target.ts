import type { PhoneTarget } from '../../domain/call/call.ts';
import type { Ids } from '../../kernel/ids.ts';

export interface PhoneTargetOptions {
  readonly ids: Ids;
  /** The directory: whom an agent may consult or transfer to. */
  readonly consultTarget: (
    number: string,
  ) => { readonly number: string; readonly name: string; readonly gateway: string | null } | undefined;
  /** The hotline's own numbers. */
  readonly ownNumbers: readonly string[];
}

/**
 * Whom a number means that a phone has dialled, or wrote into its REFER: what the desk's transfer may reach and nothing
 * else, or the hotline itself. A phone is no way to call the world at the city's cost.
 */
export const phoneTarget =
  ({ ids, consultTarget, ownNumbers }: PhoneTargetOptions) =>
  (number: string): PhoneTarget => {
    if (ownNumbers.includes(number)) return { to: 'queue' };
    const target = consultTarget(number);
    if (target === undefined) return { to: 'unknown' };
    const leg = ids.uuid();
    return {
      to: 'subcentre',
      consult: { ...target, leg, place: 'dialling', answeredAtMs: null, mode: 'transfer', referred: true },
    };
  };
