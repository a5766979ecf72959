import { saturate } from './frames.ts';

/** Adds a frame to a sum that is wide enough for thousands of voices. */
export function addFrame(sum: Int32Array, frame: Int16Array): void {
  for (let at = 0; at < sum.length; at += 1) sum[at] = (sum[at] ?? 0) + (frame[at] ?? 0);
}

/** What a member hears: the sum without its own voice, clipped to 16 bits. Without `own` the whole sum. */
export function mixWithout(sum: Int32Array, own: Int16Array | undefined, out: Int16Array): void {
  if (own === undefined) {
    for (let at = 0; at < out.length; at += 1) out[at] = saturate(sum[at] ?? 0);
    return;
  }
  for (let at = 0; at < out.length; at += 1) out[at] = saturate((sum[at] ?? 0) - (own[at] ?? 0));
}
