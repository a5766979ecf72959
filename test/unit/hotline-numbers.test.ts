import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskNumber, numberFor } from '../../src/domain/hotline/mask-number.ts';
import { normaliseNumber } from '../../src/domain/hotline/normalise-number.ts';

const written = (raw: string, areaCode?: string): string => {
  const { normalised, kind, display } = normaliseNumber(raw, areaCode);
  return `${kind} ${normalised} ${display}`;
};

describe('normaliseNumber', () => {
  it.each([
    '13812345678',
    '+8613812345678',
    '008613812345678',
    '8613812345678',
    '013812345678',
    '+86 138-1234-5678',
    '138 1234 5678',
    'tel:+86-138-1234-5678',
    'sip:13812345678@carrier.example;user=phone',
    '１３８１２３４５６７８',
  ])('finds the same mobile in %s', (raw) => {
    expect(written(raw)).toBe('mobile 13812345678 13812345678');
  });

  it.each([
    ['037123456789', '0371-23456789'],
    ['+8637123456789', '0371-23456789'],
    ['8637123456789', '0371-23456789'],
    ['00860371-23456789', '0371-23456789'],
    ['(010) 6512 3456', '010-65123456'],
    ['+861065123456', '010-65123456'],
    ['02154321098', '021-54321098'],
    ['09173215367', '0917-3215367'],
  ])('knows the landline %s', (raw, display) => {
    expect(written(raw)).toBe(`landline ${display.replace('-', '')} ${display}`);
  });

  it('gives a local number the area code of the city, when it is known', () => {
    expect(written('23456789', '0371')).toBe('landline 037123456789 0371-23456789');
    expect(written('3215367', '0917')).toBe('landline 09173215367 0917-3215367');
    expect(written('3215367')).toBe('local 3215367 3215367');
    // Begins like the country code, but nothing whole follows it.
    expect(written('86123456', '0371')).toBe('landline 037186123456 0371-86123456');
    expect(written('3215367', '010')).toBe('local 3215367 3215367');
  });

  it.each(['110', '119', '120', '122', '114', '12345', '12366', '10086', '95588', '96119', '967100', '116114'])(
    'leaves the short code %s alone, whatever the city',
    (raw) => {
      expect(written(raw, '0371')).toBe(`short ${raw} ${raw}`);
    },
  );

  it("keeps another city's hotline apart from ours", () => {
    expect(written('01012345')).toBe('short 01012345 010-12345');
    expect(written('037112345')).toBe('short 037112345 0371-12345');
    expect(written('+8612345')).toBe('short 12345 12345');
  });

  it('knows 400 lines and numbers from abroad', () => {
    expect(written('4008001234')).toBe('service 4008001234 400-800-1234');
    expect(written('+864008001234')).toBe('service 4008001234 400-800-1234');
    expect(written('+14155550171')).toBe('international +14155550171 +14155550171');
    expect(written('0085221234567')).toBe('international +85221234567 +85221234567');
  });

  it.each([
    '',
    '  ',
    'anonymous',
    'Anonymous',
    'Restricted',
    'unknown',
    '0000000000',
    'sip:anonymous@anonymous.invalid',
  ])('takes "%s" for an anonymous caller', (raw) => {
    expect(written(raw)).toBe('anonymous  匿名来电');
  });

  it.each([
    ['1001', '1001'],
    ['张三', '张三'],
    ['alice', 'alice'],
    ['+86', '+86'],
    ['+8699', '+8699'],
    ['12812345678', '12812345678'],
    ['50%off', '50%off'],
  ])('keeps %s as it is', (raw, normalised) => {
    expect(normaliseNumber(raw)).toEqual({ normalised, kind: 'other', display: normalised });
  });

  it('has one form for each number, whatever comes', () => {
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789+-'), maxLength: 18 });
    fc.assert(
      fc.property(
        fc.oneof(digits, fc.string({ maxLength: 300 })),
        fc.constantFrom(undefined, '0371', '010'),
        (raw, area) => {
          const once = normaliseNumber(raw, area);
          expect(normaliseNumber(once.normalised, area)).toEqual(once);
          expect(once.normalised.length).toBeLessThanOrEqual(40);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('maskNumber', () => {
  it.each([
    ['13812345678', '138****5678'],
    ['+8613812345678', '138****5678'],
    ['037123456789', '0371-****6789'],
    ['01065123456', '010-****3456'],
    ['09173215367', '0917-***5367'],
    ['3215367', '***5367'],
    ['+14155550171', '+141******71'],
    ['12345', '12345'],
    ['4008001234', '400-800-1234'],
    ['1001', '1001'],
    ['12812345678', '1********78'],
    ['张三', '***'],
    ['', '匿名来电'],
  ])('shows %s as %s', (raw, masked) => {
    expect(maskNumber(normaliseNumber(raw))).toBe(masked);
  });

  it('shows whole numbers only to the roles that the city names', () => {
    const shown = (role: string, number: string) => numberFor(number, role, ['supervisor']);
    expect(shown('supervisor', '13812345678')).toBe('13812345678');
    expect(shown('supervisor', '037123456789')).toBe('0371-23456789');
    expect(shown('agent', '13812345678')).toBe('138****5678');
    expect(shown('subcentre', '13812345678')).toBe('138****5678');
    expect(numberFor('13812345678', 'supervisor', [])).toBe('138****5678');
  });

  it('never shows a whole private number', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789+'), minLength: 7, maxLength: 18 }), (raw) => {
        const number = normaliseNumber(raw);
        fc.pre(!['short', 'service', 'anonymous'].includes(number.kind));
        expect(maskNumber(number)).toMatch(/\*{3}/);
      }),
    );
  });
});
