/**
 * What a Node process really needs: its heap after a full collection. Without one a machine with much memory lets garbage
 * lie for a quarter of an hour, and a measurement of minutes sees a rise that is none.
 */
import { on, once } from 'node:events';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { round } from './figures.ts';

const deadlineMs = 10_000;
const targetsSchema = z.array(z.looseObject({ webSocketDebuggerUrl: z.string() }));
const [collecting, asking] = [1, 2] as const;
/** Events of the inspector have no id. */
const answerSchema = z.looseObject({ id: z.number().optional(), result: z.unknown() });
const usageSchema = z.looseObject({ usedSize: z.number() });

/**
 * Collects the garbage of the process whose inspector listens on this port.
 * @returns MiB that are in use then.
 * @throws Error when the process is not there, or busy for 10 s.
 */
export async function heapAfterCollectionMb(inspectorPort: number): Promise<number> {
  const signal = AbortSignal.timeout(deadlineMs);
  const listed: unknown = await (await fetch(`http://127.0.0.1:${inspectorPort}/json`, { signal })).json();
  const [target] = targetsSchema.parse(listed);
  if (target === undefined) throw new Error(`nothing to inspect on port ${inspectorPort}`);
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  try {
    await once(socket, 'open', { signal });
    const answers = on(socket, 'message', { signal, close: ['close'] });
    socket.send(JSON.stringify({ id: collecting, method: 'HeapProfiler.collectGarbage' }));
    for await (const [message] of answers as AsyncIterable<[Buffer]>) {
      const answer = answerSchema.parse(JSON.parse(String(message)));
      // The collection is a task of its own: a question that came with the order would be answered before it.
      if (answer.id === collecting) socket.send(JSON.stringify({ id: asking, method: 'Runtime.getHeapUsage' }));
      if (answer.id === asking) return round(usageSchema.parse(answer.result).usedSize / 2 ** 20);
    }
    throw new Error(`the process that is inspected on port ${inspectorPort} has gone`);
  } finally {
    socket.close();
  }
}
