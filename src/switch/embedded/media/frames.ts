/** All audio inside the engine: 8 kHz, 16 bit, mono, in frames of 20 ms. */
export const SAMPLE_RATE = 8000;
export const SAMPLES_PER_MS = 8;
export const FRAME_MS = 20;
export const FRAME_SAMPLES = 160;

/** A sample limited to 16 bits: overload clips instead of wrapping around into noise. */
export const saturate = (sample: number): number => Math.max(-32_768, Math.min(32_767, sample));
