import type { NumberPromptId } from './prompt-ids.ts';

const digits = ['d0', 'd1', 'd2', 'd3', 'd4', 'd5', 'd6', 'd7', 'd8', 'd9'] as const satisfies NumberPromptId[];

/** The largest number that can be spoken; a larger one is an error of the caller of these functions. */
export const largestSpokenNumber = 999;

/**
 * The prompts that say a number as Mandarin does: 10 十, 21 二十一, 105 一百零五, 110 一百一十.
 * @throws RangeError unless `value` is a whole number from 0 to 999.
 */
export function spokenNumber(value: number): NumberPromptId[] {
  if (!Number.isInteger(value) || value < 0 || value > largestSpokenNumber) {
    throw new RangeError(`only whole numbers from 0 to ${largestSpokenNumber} can be spoken, not ${value}`);
  }
  if (value < 100) return belowHundred(value);
  const rest = value % 100;
  const hundreds: NumberPromptId[] = [digit(Math.floor(value / 100)), 'hundred'];
  if (rest === 0) return hundreds;
  if (rest < 10) return [...hundreds, 'd0', digit(rest)];
  // Behind a hundred, ten is 一十 and not 十 alone.
  return rest < 20 ? [...hundreds, 'd1', ...belowHundred(rest)] : [...hundreds, ...belowHundred(rest)];
}

/**
 * The same number in front of a measure word (位, 个, 分钟): two alone is 两 there, not 二.
 * @throws RangeError unless `value` is a whole number from 0 to 999.
 */
export function spokenCount(value: number): NumberPromptId[] {
  return value === 2 ? ['d2-liang'] : spokenNumber(value);
}

function belowHundred(value: number): NumberPromptId[] {
  const tens = Math.floor(value / 10);
  const ones = value % 10;
  if (tens === 0) return [digit(ones)];
  const ten: NumberPromptId[] = tens === 1 ? ['d10'] : [digit(tens), 'd10'];
  return ones === 0 ? ten : [...ten, digit(ones)];
}

function digit(value: number): NumberPromptId {
  const id = digits[value];
  if (id === undefined) throw new RangeError(`not a digit: ${value}`);
  return id;
}
