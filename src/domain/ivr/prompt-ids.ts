/**
 * Prompts that the program itself plays, outside of any flow. A start without one of them fails, and so does
 * the prompt test. Numbers are in spoken-number.ts.
 */
export const programPromptIds = {
  noAgentSorry: 'no-agent-sorry',
  queueFullBusy: 'queue-full-busy',
  busyCallback: 'busy-callback',
  allBusyWait: 'all-busy-wait',
  positionBefore: 'position-before',
  positionAfter: 'position-after',
  transferring: 'transferring',
  backWithAgent: 'back-with-agent',
  threeWayJoined: 'three-way-joined',
  ratingAsk: 'rating-ask',
  ratingThanks: 'rating-thanks',
  ratingInvalid: 'rating-invalid',
  goodbye: 'goodbye',
  fallback: 'fallback',
  beep: 'beep',
  recordingNotice: 'recording-notice',
  music: 'music',
} as const;

/** The prompts that Chinese numbers are joined from. */
export const numberPromptIds = [
  'd0',
  'd1',
  'd2',
  'd2-liang',
  'd3',
  'd4',
  'd5',
  'd6',
  'd7',
  'd8',
  'd9',
  'd10',
  'hundred',
] as const;
export type NumberPromptId = (typeof numberPromptIds)[number];

/** Every prompt that code names; flows add their own. */
export const requiredPromptIds: readonly string[] = [...Object.values(programPromptIds), ...numberPromptIds];
