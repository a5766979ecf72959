/** The timers of RFC 3261 section 17 and its table 4, milliseconds. */

/** Round-trip estimate. */
export const T1_MS = 500;
/** The longest gap between retransmissions of non-INVITE requests and INVITE responses. */
export const T2_MS = 4_000;
/** How long a message stays in the network. */
export const T4_MS = 5_000;
/** Timers B, F, H, L, M and the wait for the ACK of a 2xx. */
export const TRANSACTION_TIMEOUT_MS = 64 * T1_MS;
/** Timer D: over UDP, at least 32 s. */
export const TIMER_D_MS = 32_000;
