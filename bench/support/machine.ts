/** What a benchmark says about the machine and its processes (Linux: /proc). */
import { readdirSync, readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { round } from './figures.ts';

/** The machine, as it belongs to every figure. */
export function machineInfo() {
  const all = cpus();
  return {
    cpu: all[0]?.model ?? 'unknown',
    cores: all.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    kernel: readText('/proc/version').split(' ')[2] ?? '',
  };
}

/** The load average of the last minute: what else the machine was doing. */
export const loadAverage = (): number => round(loadavg()[0] ?? Number.NaN);

/** A process and everything that it has started. */
export function withDescendants(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(withDescendants)];
}

/** What the process was started with. */
export const commandLine = (pid: number): string => readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();

/** Peak resident memory in MiB (VmHWM); 0 when the process is gone. */
export function peakMemoryMb(pid: number): number {
  const kb = /^VmHWM:\s+(\d+) kB/m.exec(readText(`/proc/${pid}/status`))?.[1];
  return round(Number(kb ?? 0) / 1024);
}

/** Resident memory now in MiB (VmRSS); 0 when the process is gone. */
export function residentMemoryMb(pid: number): number {
  const kb = /^VmRSS:\s+(\d+) kB/m.exec(readText(`/proc/${pid}/status`))?.[1];
  return round(Number(kb ?? 0) / 1024);
}

/** Open descriptors of a process now. */
export const descriptors = (pid: number): number => listed(`/proc/${pid}/fd`).length;

/** Threads of a process now. */
export const threads = (pid: number): number => listed(`/proc/${pid}/task`).length;

/** CPU time that the process has used so far, milliseconds (fields 14 and 15 of /proc/<pid>/stat, in ticks of 10 ms). */
export function cpuMs(pid: number): number {
  const fields = readText(`/proc/${pid}/stat`).split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10;
}

function childrenOf(pid: number): number[] {
  const tasks = listed(`/proc/${pid}/task`);
  return tasks.flatMap((task) =>
    readText(`/proc/${pid}/task/${task}/children`)
      .split(' ')
      .filter((word) => word !== '')
      .map(Number),
  );
}

/** A process may end at any time; then there is nothing to read. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function listed(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
