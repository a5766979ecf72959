import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { normaliseNumber } from '../../domain/hotline/normalise-number.ts';
import type { Logger } from '../../kernel/log.ts';

/** A citizen whom the dialplan treated alone, as its recording's name tells (docs/switch-contract.md). */
export interface FallbackMessage {
  readonly callerNumber: string;
  readonly dialledNumber: string;
  readonly recordingPath: string;
  readonly leg: string;
  readonly atMs: number;
}

const fileName = /^(\d{9,11})_(\d{1,20}|anonymous)_(\d{1,20})_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.wav$/;

/** Reads one file name; undefined when it is not one of the dialplan's. */
export function readFallbackName(folder: string, name: string): FallbackMessage | undefined {
  const match = fileName.exec(name);
  if (match === null) return undefined;
  const [, epochS, caller = '', dialledNumber = '', leg = ''] = match;
  const callerNumber = caller === 'anonymous' ? '' : normaliseNumber(caller).normalised;
  return { callerNumber, dialledNumber, leg, recordingPath: join(folder, name), atMs: Number(epochS) * 1000 };
}

/** All messages that the dialplan has recorded so far; storing them again changes nothing. */
export async function findFallbackMessages(recordingsFolder: string, log: Logger): Promise<FallbackMessage[]> {
  const folder = join(recordingsFolder, 'fallback');
  await mkdir(folder, { recursive: true });
  const names = await readdir(folder);
  const messages = names.flatMap((name) => readFallbackName(folder, name) ?? []);
  const others = names.length - messages.length;
  if (others > 0) log.warn({ folder, others }, 'files that the dialplan did not make lie among its messages');
  return messages;
}
