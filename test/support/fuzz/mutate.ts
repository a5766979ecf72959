/** Hostile inputs from honest ones: seeded, so that what was found once is found again. */

/** Numbers in [0, below), the same for the same seed (mulberry32). */
export function seededRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

/** What grammars of line protocols trip over. */
const TOKENS = [
  '\r\n',
  '\n',
  '\r\n\r\n',
  '\n\n',
  '\0',
  '"',
  '\\',
  '<',
  '>',
  ';',
  ',',
  ':',
  '=',
  '%',
  '%00',
  '%zz',
  '@',
  '[',
  ']',
  ' ',
  '\t',
  '-1',
  '0',
  '99999999999999999999',
  '4294967296',
  '\u{fffd}',
  '一',
  '\ud800',
  'SIP/2.0',
  'Content-Length: ',
  'Content-Length: 5\n',
  'Via: ',
  'm=audio ',
  'a=rtpmap:',
  'data',
  'fmt ',
  'RIFF',
  '{',
  '}',
  '[x=y]',
].map((token) => Buffer.from(token));
const MAX_BYTES = 64 * 1024;

type Random = (below: number) => number;

function randomBytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random(256)));
}

function mutateOnce(input: Buffer, corpus: readonly Buffer[], random: Random): Buffer {
  const at = random(input.length + 1);
  const to = Math.min(input.length, at + random(32));
  const [before, middle, after] = [input.subarray(0, at), input.subarray(at, to), input.subarray(to)];
  switch (random(8)) {
    case 0: {
      const flipped = Buffer.from(input);
      if (at < flipped.length) flipped[at] = random(256);
      return flipped;
    }
    case 1:
      return Buffer.concat([before, after]);
    case 2:
      return Buffer.concat([before, randomBytes(random, random(16)), middle, after]);
    case 3:
      return Buffer.concat([before, TOKENS[random(TOKENS.length)] ?? before, middle, after]);
    case 4:
      return Buffer.concat([before, middle, middle, after]);
    case 5:
      return before;
    case 6: {
      const other = corpus[random(corpus.length)] ?? input;
      return Buffer.concat([before, other.subarray(random(other.length + 1))]);
    }
    default: {
      // Seldom many: a long repetition finds what takes more than linear time.
      const count = random(50) === 0 ? 2000 : random(6);
      return Buffer.concat([before, ...Array.from({ length: count }, () => middle), after]);
    }
  }
}

/** The next hostile input: mostly an honest one with a few changes, sometimes mere noise. At most 64 KiB. */
export function hostileInput(corpus: readonly Buffer[], random: Random): Buffer {
  if (random(20) === 0) return randomBytes(random, random(400));
  let input = corpus[random(corpus.length)] ?? Buffer.alloc(0);
  for (let left = 1 + random(6); left > 0; left -= 1) input = mutateOnce(input, corpus, random);
  return input.subarray(0, MAX_BYTES);
}
