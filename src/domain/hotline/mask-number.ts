import { type CallerNumber, normaliseNumber } from './normalise-number.ts';

/**
 * The caller's number as a person may see it, for display.
 * @param number as it was normalised or as it came.
 * @param role the role of the person who looks.
 * @param fullNumberRoles the roles that see whole numbers, from the city's profile.
 */
export function numberFor(number: string, role: string, fullNumberRoles: readonly string[]): string {
  const known = normaliseNumber(number);
  return fullNumberRoles.includes(role) ? known.display : maskNumber(known);
}

/**
 * Hides enough of a private number that nobody can dial it, and leaves enough to recognise a caller who calls again:
 * 138****5678, 0371-****6789. Public codes are nobody's secret and stay whole.
 */
export function maskNumber(number: CallerNumber): string {
  const { normalised, display, kind } = number;
  switch (kind) {
    case 'mobile':
      return hideBetween(normalised, 3, 4);
    case 'landline':
      return hideBetween(display, display.indexOf('-') + 1, 4);
    case 'local':
      return hideBetween(normalised, 0, 4);
    case 'international':
      return hideBetween(normalised, 4, 2);
    case 'short':
    case 'service':
    case 'anonymous':
      return display;
    case 'other':
      // An extension of the house is no secret; anything longer may be a number in a form that we don't know.
      return /^[0-9*#]{1,6}$/.test(normalised) ? display : hideBetween(normalised, 1, 2);
  }
}

/** Stars instead of all characters but the first `head` and the last `tail`; at least three are always hidden. */
function hideBetween(text: string, head: number, tail: number): string {
  const characters = [...text];
  const hidden = characters.length - head - tail;
  if (hidden < 3) return '*'.repeat(Math.max(3, characters.length));
  const end = tail === 0 ? '' : characters.slice(-tail).join('');
  return `${characters.slice(0, head).join('')}${'*'.repeat(hidden)}${end}`;
}
