import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';

/** Every error of the API has this shape: a stable code for programs, a sentence for people. */
export const errorSchema = z.object({ code: z.string(), message: z.string() });

export const pageSchema = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  offset: z.coerce.number().int().min(0).max(100_000).default(0),
});

/** The server with its types; routes are added to it. */
export type App = ReturnType<typeof bareServer>;

/** A server with the house's limits and nothing on it. */
export function bareServer(log: FastifyBaseLogger) {
  return Fastify({
    loggerInstance: log,
    // One line per request at debug would drown the calls' lines; errors are logged where they are answered.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 256 * 1024,
    requestTimeout: 15_000,
    connectionTimeout: 30_000,
    trustProxy: false,
  }).withTypeProvider<ZodTypeProvider>();
}
