/** What we understand inside a dialog and out of it (RFC 3261 section 20.5). */
const METHODS = 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REGISTER';

/** The Allow header of a side; REFER only where phones may transfer. */
export const allowHeader = (takesRefer: boolean): readonly [string, string] => [
  'Allow',
  takesRefer ? `${METHODS}, REFER` : METHODS,
];
