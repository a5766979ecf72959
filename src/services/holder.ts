import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Holder } from '../store/leadership.ts';

/** This process, as a leader signs itself. */
export async function thisProcess(): Promise<Holder> {
  return {
    host: hostname(),
    ...(await thisMachine()),
    pid: process.pid,
    startedAt: (await statOf(process.pid))?.startedAt ?? '',
  };
}

/**
 * Whether this process can see that the holder has died: it ran under the same kernel and in the same space of process
 * numbers, and is not there any more. One that is frozen is there. In doubt, no.
 */
export async function hasDied(holder: Holder): Promise<boolean> {
  const { boot, pidSpace } = await thisMachine();
  if (boot === '' || pidSpace === '' || holder.startedAt === '') return false;
  if (holder.boot !== boot || holder.pidSpace !== pidSpace) return false;
  const now = await statOf(holder.pid);
  // A number may have been given to another process; a zombie runs no code.
  return now === undefined || now.startedAt !== holder.startedAt || now.state === 'Z' || now.state === 'X';
}

async function thisMachine(): Promise<{ boot: string; pidSpace: string }> {
  const unknown = () => '';
  const [boot, pidSpace] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').then((text) => text.trim(), unknown),
    readlink('/proc/self/ns/pid').catch(unknown),
  ]);
  return { boot, pidSpace };
}

/** State and start time of a process (proc(5)); undefined when it is not there. */
async function statOf(pid: number): Promise<{ state: string; startedAt: string } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The name in brackets may hold anything, brackets and spaces too.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, startedAt] = [fields?.[0], fields?.[19]];
  return state === undefined || startedAt === undefined ? undefined : { state, startedAt };
}
