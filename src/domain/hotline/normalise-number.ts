/**
 * `short`: a public service code (110, 12345, 95588); `service`: 400 and 800 lines; `local`: a landline without its
 * area code; `anonymous`: no number was shown; `other`: anything else, e.g. an extension.
 */
export type NumberKind =
  | 'mobile'
  | 'landline'
  | 'local'
  | 'short'
  | 'service'
  | 'international'
  | 'anonymous'
  | 'other';

export interface CallerNumber {
  /** One writing for one number, so that the same caller is found again: national form, or `+` and country code. */
  readonly normalised: string;
  readonly kind: NumberKind;
  /** For people's eyes, not masked. */
  readonly display: string;
}

/** Longer texts are no numbers (E.164 has 15 digits); they are cut for the record. */
const maxLength = 40;

/** Codes of the national numbering plan that are dialled as they are: emergency, carriers, 12xxx hotlines, 95/96. */
const shortCodes: readonly RegExp[] = [
  /^11[0-9]$/, // 110 police, 114 enquiries, 119 fire
  /^12[0-2]$/, // 120 ambulance, 122 traffic police
  /^10[0-9]{3}$/, // 10000, 10010, 10086: the carriers
  /^11[68][0-9]{3}$/, // 116114, 118114
  /^12[0-9]{3}$/, // 12345, 12366, 12306
  /^9[56][0-9]{3,6}$/, // 95588, 96119, 967100
];

const mobile = /^1[3-9][0-9]{9}$/;
/**
 * 010 and 02x have eight local digits, the three-digit area codes seven or eight; none begins with 0 or 1.
 * There are no areas 0400 and 0800: those digits are toll-free lines.
 */
const landline = /^(0(?:10|2[0-9]))([2-9][0-9]{7})$|^(0(?![48]00)[3-9][0-9]{2})([2-9][0-9]{6,7})$/;
const shortBehindArea = /^(0(?:10|2[0-9]|[3-9][0-9]{2}))([0-9]{3,8})$/;
const local = /^[2-8][0-9]{6,7}$/;
const serviceLine = /^([48]00)([0-9]{3})([0-9]{4})$/;

/** RFC 3323 §4.1.1.3 names `anonymous`; the other words are what carriers and switches put there. */
const anonymousWords: ReadonlySet<string> = new Set([
  'anonymous',
  'unknown',
  'unavailable',
  'restricted',
  'private',
  'withheld',
]);

/**
 * Brings the number that a carrier shows for a caller into one form.
 * @param raw the user part of the caller's address; may have separators, prefixes, full-width digits, or nothing.
 * @param areaCode the city's own area code with its 0 (`0371`): numbers without one get it.
 */
export function normaliseNumber(raw: string, areaCode?: string): CallerNumber {
  const text = clean(raw);
  if (isAnonymous(text)) return { normalised: '', kind: 'anonymous', display: '匿名来电' };
  // Short codes come first: 12345 is no extension, and 95588 is no beginning of a longer number.
  return shortCode(text) ?? domestic(withoutCountryCode(text), areaCode) ?? abroad(text) ?? other(text);
}

/** Takes off what RFC 3966 §5.1.1 calls visual separators, URI parts, and full-width forms. */
function clean(raw: string): string {
  return (
    raw
      .slice(0, 200)
      .normalize('NFKC')
      .trim()
      .replace(/^(?:sips?|tel):/i, '')
      .replace(/[@;].*$/s, '')
      .replace(/[\s().-]/g, '')
      .slice(0, maxLength)
      // Invisible characters, NUL and half characters are no part of a number, and PostgreSQL refuses some of them.
      .replace(/\p{C}/gu, '')
  );
}

function isAnonymous(text: string): boolean {
  // FreeSWITCH shows ten zeros where the carrier gave no number.
  return /^0*$/.test(text) || anonymousWords.has(text.toLowerCase());
}

function shortCode(text: string): CallerNumber | undefined {
  if (!isShortCode(text)) return undefined;
  return { normalised: text, kind: 'short', display: text };
}

function isShortCode(text: string): boolean {
  return shortCodes.some((pattern) => pattern.test(text));
}

/**
 * China's country code in all its writings: +86, 0086, or 86 alone, which is only taken for one when a whole number
 * follows (a local number may begin with 86 too). Landlines lose their 0 behind it and get it back here.
 */
function withoutCountryCode(text: string): string {
  const [, prefix, rest = ''] = /^(\+86|0086|86)([0-9]+)$/.exec(text) ?? [];
  if (prefix === undefined) return text;
  if (mobile.test(rest)) return rest;
  const withZero = rest.startsWith('0') ? rest : `0${rest}`;
  if (landline.test(withZero)) return withZero;
  if (prefix === '86') return text;
  return isShortCode(rest) || serviceLine.test(rest) ? rest : text;
}

function domestic(text: string, areaCode: string | undefined): CallerNumber | undefined {
  // 0 in front of a mobile number was the long-distance prefix; some trunks still add it.
  const withoutTrunkZero = /^01[3-9]/.test(text) ? text.slice(1) : text;
  if (mobile.test(withoutTrunkZero)) {
    return { normalised: withoutTrunkZero, kind: 'mobile', display: withoutTrunkZero };
  }
  return shortCode(text) ?? fixedLine(text) ?? lineWithoutArea(text, areaCode) ?? tollFree(text) ?? shortOfACity(text);
}

function fixedLine(text: string): CallerNumber | undefined {
  const match = landline.exec(text);
  if (match === null) return undefined;
  return { normalised: text, kind: 'landline', display: `${match[1] ?? match[3]}-${match[2] ?? match[4]}` };
}

function lineWithoutArea(text: string, areaCode: string | undefined): CallerNumber | undefined {
  if (!local.test(text)) return undefined;
  const whole = areaCode === undefined ? undefined : fixedLine(`${areaCode}${text}`);
  return whole ?? { normalised: text, kind: 'local', display: text };
}

function tollFree(text: string): CallerNumber | undefined {
  const match = serviceLine.exec(text);
  return match === null ? undefined : { normalised: text, kind: 'service', display: match.slice(1).join('-') };
}

/** A short code behind an area code is another city's: 010-12345 is Beijing's hotline, not ours. */
function shortOfACity(text: string): CallerNumber | undefined {
  const [, area, code] = shortBehindArea.exec(text) ?? [];
  if (area === undefined || code === undefined || !isShortCode(code)) return undefined;
  return { normalised: text, kind: 'short', display: `${area}-${code}` };
}

function abroad(text: string): CallerNumber | undefined {
  // E.164: at most 15 digits, and no country code begins with 0.
  const digits = /^(?:\+|00)([1-9][0-9]{6,14})$/.exec(text)?.[1];
  if (digits === undefined || digits.startsWith('86')) return undefined;
  return { normalised: `+${digits}`, kind: 'international', display: `+${digits}` };
}

function other(text: string): CallerNumber {
  return { normalised: text, kind: 'other', display: text };
}
