import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { withDeadline } from '../../../kernel/deadline.ts';
import { errorChain } from '../../../kernel/errors.ts';
import { err, ok, type Result } from '../../../kernel/result.ts';
import { SAMPLE_RATE } from './frames.ts';

const WAV_HEADER_BYTES = 44;
/** About a minute of stereo: a disk that is behind by more than that has failed for our purpose. */
const MAX_PENDING_BYTES = 2 * 1024 * 1024;
const FINISH_DEADLINE_MS = 5000;
const MAX_DATA_BYTES = 0xffff_ffff - WAV_HEADER_BYTES;

/** The 44 bytes before PCM16 data at 8 kHz. */
export function wavHeader(channels: number, dataBytes: number): Buffer {
  const header = Buffer.alloc(WAV_HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(dataBytes + WAV_HEADER_BYTES - 8, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(SAMPLE_RATE, 24);
  header.writeUInt32LE(SAMPLE_RATE * channels * 2, 28);
  header.writeUInt16LE(channels * 2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(dataBytes, 40);
  return header;
}

/**
 * Writes one WAV file in the background. After every batch the header is brought up to date, so the file is readable
 * even when the process is killed. One batch is under way at a time; what waits is bounded.
 */
export class WavWriter {
  readonly #path: string;
  readonly #channels: number;
  readonly #onFailed: (message: string) => void;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #dataBytes = 0;
  #file: FileHandle | undefined;
  #failure: string | undefined;
  #working: Promise<void> | undefined;

  /** Opens the file at once, in the background. @param onFailed is told once, from the event loop. */
  constructor(path: string, channels: number, onFailed: (message: string) => void) {
    this.#path = path;
    this.#channels = channels;
    this.#onFailed = onFailed;
    this.#work();
  }

  /** Queues sample data; dropped once the writer has failed. */
  write(data: Buffer): void {
    if (this.#failure !== undefined) return;
    if (this.#pendingBytes + data.length > MAX_PENDING_BYTES) {
      this.#fail(`the disk does not keep up, ${this.#pendingBytes} bytes wait`);
      return;
    }
    this.#pending.push(data);
    this.#pendingBytes += data.length;
    this.#work();
  }

  /** Writes what waits and closes the file. */
  async finish(): Promise<Result<void, string>> {
    try {
      await withDeadline(`Writing ${this.#path}`, FINISH_DEADLINE_MS, this.#drain());
    } catch (error) {
      this.#failure ??= errorChain(error);
    }
    return this.#failure === undefined ? ok(undefined) : err(this.#failure);
  }

  async #drain(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  #work(): void {
    if (this.#working !== undefined || this.#failure !== undefined) return;
    this.#working = this.#writeBatches()
      .catch((error: unknown) => this.#fail(errorChain(error)))
      .finally(() => {
        this.#working = undefined;
        // Data that came between the last look into the queue and now.
        if (this.#pending.length > 0) this.#work();
      });
  }

  async #writeBatches(): Promise<void> {
    const file = this.#file ?? (await this.#open());
    while (this.#pending.length > 0) {
      const batch = Buffer.concat(this.#pending);
      this.#pending = [];
      this.#pendingBytes = 0;
      if (this.#dataBytes + batch.length > MAX_DATA_BYTES) throw new Error('a WAV file ends at 4 GiB');
      await writeFully(file, batch, WAV_HEADER_BYTES + this.#dataBytes);
      this.#dataBytes += batch.length;
      await writeFully(file, wavHeader(this.#channels, this.#dataBytes), 0);
    }
  }

  async #open(): Promise<FileHandle> {
    await mkdir(dirname(this.#path), { recursive: true });
    // Conversations are nobody else's business on this machine: no rights for others.
    const file = await open(this.#path, 'w', 0o640);
    this.#file = file;
    await writeFully(file, wavHeader(this.#channels, 0), 0);
    return file;
  }

  #fail(message: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = message;
    this.#pending = [];
    this.#pendingBytes = 0;
    queueMicrotask(() => this.#onFailed(message));
  }
}

/** `write` may take only a part (a disk about to be full): go on until all is written or it fails. */
async function writeFully(file: FileHandle, data: Buffer, position: number): Promise<void> {
  let done = 0;
  while (done < data.length) {
    const { bytesWritten } = await file.write(data, done, data.length - done, position + done);
    if (bytesWritten === 0) throw new Error('nothing could be written');
    done += bytesWritten;
  }
}
