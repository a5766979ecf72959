import type { FastifyReply, FastifyRequest } from 'fastify';
import { UserError } from '../kernel/errors.ts';
import type { Person } from '../services/ports.ts';
import type { HttpDeps } from './deps.ts';

export const sessionCookie = 'yht_session';

declare module 'fastify' {
  interface FastifyRequest {
    /** The signed-in person; null on routes that need nobody. */
    person: Person | null;
  }
}

/** Who sends this request, by its session cookie. */
export async function personOf(deps: HttpDeps, token: string | undefined): Promise<Person | undefined> {
  if (token === undefined || !/^[A-Za-z0-9_-]{20,100}$/.test(token)) return undefined;
  return deps.personOfToken(token);
}

/** A route guard: only signed-in people, and only these roles when some are named. */
export function requirePerson(deps: HttpDeps, roles?: readonly Person['role'][]) {
  return async (request: FastifyRequest, _reply: FastifyReply): Promise<void> => {
    const person = await personOf(deps, request.cookies[sessionCookie]);
    if (person === undefined) throw new UserError('not-signed-in', 401, '请先登录');
    if (roles !== undefined && !roles.includes(person.role)) throw new UserError('not-allowed', 403, '您没有此项权限');
    request.person = person;
  };
}

/** The person that the guard has found. */
export function signedIn(request: FastifyRequest): Person {
  if (request.person === null) throw new Error('route without requirePerson asked for its person');
  return request.person;
}
