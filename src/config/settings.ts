import { isIP } from 'node:net';
import { z } from 'zod';

/** The kinds of settings: each turns the text of one environment variable into a checked value, or says what is wrong. */

/** A whole number within bounds. */
export function whole(min: number, max: number, fallback: number) {
  return wholeIfGiven(min, max).prefault(String(fallback));
}

/** A whole number without a default. */
export function wholeIfGiven(min: number, max: number) {
  const words = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^[0-9]{1,15}$/, words)
    .transform(Number)
    .pipe(z.number().min(min, words).max(max, words));
}

/** 0 takes any free port; which one is told at the start. */
export const port = (fallback: number) => whole(0, 65_535, fallback);

/** `on` or `off`; undefined when it is not set. */
export const onOff = z
  .enum(['on', 'off'], 'must be on or off')
  .transform((word) => word === 'on')
  .optional();

/** An IP address to listen on. */
export const listenAddress = (fallback: string) =>
  z
    .string()
    .refine((text) => isIP(text) !== 0, 'must be an IP address, e.g. 127.0.0.1 or 0.0.0.0')
    .prefault(fallback);

/** A short name that is safe as a part of a path. */
export const plainName = (fallback: string) =>
  z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/i, 'must be a name of letters, digits, "-" and "_"')
    .prefault(fallback);

export const domainName = (fallback: string) =>
  z
    .string()
    .regex(/^(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/i, 'must be a domain name, e.g. hotline.example')
    .prefault(fallback);

/** `host:port`, the host a name, an IPv4 address, or an IPv6 address in brackets. */
const hostAndPort = z.string().transform((text, context) => {
  const match = /^(?:\[([0-9a-f:]+)\]|([a-z0-9.-]+)):([0-9]{1,5})$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  const number = Number(match?.[3]);
  if (host === undefined || number < 1 || number > 65_535) {
    context.addIssue({ code: 'custom', message: 'must be host:port, e.g. 127.0.0.1:8021' });
    return z.NEVER;
  }
  return { host, port: number };
});

/** One or more `host:port`, separated by commas. */
export const hostsAndPorts = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .pipe(z.array(hostAndPort).max(16));

/** Addresses or networks, separated by commas; a lone address becomes a network of its own. */
export const networks = (fallback: string) =>
  z
    .string()
    .transform((text, context) => {
      const parts = text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '');
      const wrong = parts.find((part) => normalNetwork(part) === undefined);
      if (wrong !== undefined || parts.length === 0) {
        const words = 'must be addresses or networks separated by commas, e.g. 192.0.2.7,198.51.100.0/24';
        context.addIssue({ code: 'custom', message: wrong === undefined ? words : `${words} (wrong: ${wrong})` });
        return z.NEVER;
      }
      return parts.map((part) => normalNetwork(part) ?? part);
    })
    .prefault(fallback);

function normalNetwork(text: string): string | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const longest = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  if (longest === 0 || rest.length > 0) return undefined;
  if (length === undefined) return `${address}/${longest}`;
  return /^[0-9]{1,3}$/.test(length) && Number(length) <= longest ? `${address}/${Number(length)}` : undefined;
}

/** The address of a PostgreSQL. */
export const postgresUrl = z
  .string()
  .refine(
    (text) => URL.canParse(text) && ['postgres:', 'postgresql:'].includes(new URL(text).protocol),
    'must be the address of a PostgreSQL, e.g. postgres://user:password@host:5432/database',
  );
