import { type HeaderBlock, parsePlainEvent } from './wire.ts';

/** FreeSWITCH writes this word where a value is empty. */
const EMPTY_VALUE = '_undef_';

/**
 * One event of the switch. Header values are decoded when they are asked for, because most of the ninety headers
 * of a channel event are never read.
 */
export interface EslEvent {
  /** E.g. `CHANNEL_PARK`. */
  readonly name: string;
  /** The value of a header; undefined when it is absent or empty. Names are case-sensitive, as the switch writes them. */
  get(header: string): string | undefined;
  /** All headers with decoded values, in their order. */
  headers(): Iterable<readonly [string, string]>;
  /** The event's own body, '' when it has none. */
  readonly body: string;
}

class PlainEvent implements EslEvent {
  readonly name: string;
  readonly #headers: HeaderBlock;
  readonly #body: Buffer;

  constructor(name: string, headers: HeaderBlock, body: Buffer) {
    this.name = name;
    this.#headers = headers;
    this.#body = body;
  }

  get(header: string): string | undefined {
    const value = this.#headers.get(header);
    return value === undefined || value === '' || value === EMPTY_VALUE ? undefined : value;
  }

  headers(): Iterable<readonly [string, string]> {
    return this.#headers.entries();
  }

  get body(): string {
    return this.#body.toString('utf8');
  }
}

class JsonEvent implements EslEvent {
  readonly name: string;
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(name: string, values: Readonly<Record<string, unknown>>) {
    this.name = name;
    this.#values = values;
  }

  get(header: string): string | undefined {
    if (!Object.hasOwn(this.#values, header)) return undefined;
    const value = this.#values[header];
    return typeof value !== 'string' || value === '' || value === EMPTY_VALUE ? undefined : value;
  }

  *headers(): Iterable<readonly [string, string]> {
    for (const name of Object.keys(this.#values)) {
      const value = this.#values[name];
      if (typeof value === 'string' && name !== '_body') yield [name, value];
    }
  }

  get body(): string {
    return this.get('_body') ?? '';
  }
}

/** Reads the body of a `text/event-plain` frame; undefined when it names no event. */
export function readPlainEvent(frameBody: Buffer): EslEvent | undefined {
  const { headers, body } = parsePlainEvent(frameBody);
  const name = headers.get('Event-Name');
  return name === undefined ? undefined : new PlainEvent(name, headers, body);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the caller answers for a frame that names no event.
    return undefined;
  }
}

/** Reads the body of a `text/event-json` frame; undefined when it is no JSON object or names no event. */
export function readJsonEvent(frameBody: Buffer): EslEvent | undefined {
  const values = parseJson(frameBody.toString('utf8'));
  if (typeof values !== 'object' || values === null) return undefined;
  const name: unknown = Reflect.get(values, 'Event-Name');
  return typeof name === 'string' ? new JsonEvent(name, values as Readonly<Record<string, unknown>>) : undefined;
}
