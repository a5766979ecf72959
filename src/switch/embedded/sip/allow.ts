/** What we understand inside a dialog and out of it (RFC 3261 section 20.5). */
export const ALLOW: readonly [string, string] = ['Allow', 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REGISTER'];
