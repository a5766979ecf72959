import { dirname, join, resolve } from 'node:path';
import type { Logger } from '../../kernel/log.ts';
import { usableBinaries } from './binaries.ts';
import { databasePassword, initialise, isInitialised } from './cluster.ts';
import { Keeper, stopDeadlineMs } from './keeper.ts';
import { DatabaseTakenError, own } from './owner.ts';
import { findPlace } from './place.ts';
import { adoptOrLaunch, stopPostmaster } from './postmaster.ts';

export interface EmbeddedPostgresOptions {
  /** Where the data lies, usually `<DATA_FOLDER>/postgres`. The password, log and note of the place lie beside it. */
  readonly folder: string;
  /** A fixed port on 127.0.0.1; without it any free one. */
  readonly port?: number | undefined;
  /** Who runs PostgreSQL when this process is root. */
  readonly osUserName?: string;
  /** A folder that only root may write to: programs and data go there when `osUserName` can't enter their own. */
  readonly systemFolder?: string;
  /** More settings of PostgreSQL. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly log: Logger;
}

export interface EmbeddedPostgres {
  /** The address of the service's database, with the password in it: wrap it before it can reach a log. */
  readonly url: string;
  /** True when a PostgreSQL was taken over that a killed service had left running. */
  readonly adopted: boolean;
  /** The process number of PostgreSQL. */
  readonly pid: number;
  /** Ends PostgreSQL in order within a bound. */
  stop(): Promise<void>;
}

/**
 * Starts the PostgreSQL that comes with the service, or takes over the one that a killed service left running on the
 * same data. It survives this process's death, so that control can be restarted alone; when it dies itself, it is
 * started again on the same port.
 * @throws SetupError in one clear line that names the setting to change.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log } = options;
  const folder = resolve(options.folder);
  const systemFolder = options.systemFolder ?? '/var/lib';
  const startedAt = performance.now();
  const place = await findPlace({ folder, osUserName: options.osUserName ?? 'postgres', systemFolder, log });
  const binaries = await usableBinaries(place.user, systemFolder);
  const initialised = await isInitialised(place);
  const password = await databasePassword(join(dirname(folder), 'postgres-password'), initialised);
  if (!initialised) await initialise(place, binaries, password);
  const request = { place, binaries, serverLog: `${folder}.log`, settings: options.settings ?? {}, log };
  const postmaster = await adoptOrLaunch({ ...request, port: options.port });
  const keeper = new Keeper(request, postmaster, (port, onLost) => own(port, password, folder, log, onLost));
  const url = await keeper.own().catch(async (error: unknown) => {
    // One that somebody else uses is left alone.
    if (!postmaster.adopted && !(error instanceof DatabaseTakenError))
      await stopPostmaster(place, postmaster, stopDeadlineMs, log);
    throw error;
  });
  log.info(
    {
      folder: place.folder,
      pid: postmaster.pid,
      port: postmaster.port,
      adopted: postmaster.adopted,
      tookMs: Math.round(performance.now() - startedAt),
    },
    postmaster.adopted ? 'took over the embedded PostgreSQL' : 'started the embedded PostgreSQL',
  );
  let stopping: Promise<void> | undefined;
  return {
    url,
    adopted: postmaster.adopted,
    get pid() {
      return keeper.pid;
    },
    stop() {
      stopping ??= keeper.stop();
      return stopping;
    },
  };
}
