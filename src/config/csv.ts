/**
 * Reads comma-separated text (RFC 4180): quoted fields may hold commas, line breaks and doubled quotes. A byte order
 * mark and empty lines are passed over.
 * @returns the lines as lists of fields.
 * @throws Error when a quoted field is not closed.
 */
export function parseCsv(text: string): string[][] {
  const lines: string[][] = [];
  const fieldPattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  const source = text.replace(/^\uFEFF/, '');
  let line: string[] = [];
  while (fieldPattern.lastIndex < source.length) {
    const start = fieldPattern.lastIndex;
    const match = fieldPattern.exec(source);
    if (!match) throw new Error(`a quote is not closed or stands in the wrong place after character ${start}`);
    const [, quoted, plain = '', end] = match;
    line.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ',' && fieldPattern.lastIndex < source.length) continue;
    if (end === ',') line.push('');
    if (line.length > 1 || line[0] !== '') lines.push(line);
    line = [];
  }
  return lines;
}
