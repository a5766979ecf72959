/**
 * A service that has an embedded PostgreSQL, as a process of its own, so that tests can kill it: arguments are the
 * options as JSON; it prints its `{url, pid}` and stays. Run by tsx.
 */
import { z } from 'zod';
import { startEmbeddedPostgres } from '../../src/store/postgres/embedded.ts';
import { silentLog } from './postgres-server.ts';

const optionsSchema = z.object({
  folder: z.string(),
  systemFolder: z.string(),
  port: z.number().optional(),
  settings: z.record(z.string(), z.string()).optional(),
});

const options = optionsSchema.parse(JSON.parse(process.argv[2] ?? ''));
const { url, pid } = await startEmbeddedPostgres({ ...options, settings: options.settings ?? {}, log: silentLog });
process.stdout.write(`${JSON.stringify({ url, pid })}\n`);
process.stdin.resume();
