import { randomUUID } from 'node:crypto';

/** Where new identifiers come from; the simulation hands in a seeded one. */
export interface Ids {
  uuid(): string;
}

/** Random UUIDs (RFC 9562, version 4). */
export const randomIds: Ids = { uuid: () => randomUUID() };
