import { z } from 'zod';
import { UserError } from '../../kernel/errors.ts';
import { requirePerson, sessionCookie, signedIn } from '../auth.ts';
import type { HttpDeps, HttpSettings } from '../deps.ts';
import { type App, errorSchema } from '../server.ts';

const personSchema = z.object({
  person: z.object({
    id: z.string(),
    name: z.string(),
    role: z.enum(['agent', 'supervisor', 'subcentre']),
    extension: z.string().nullable(),
  }),
});

/** Control and half characters are in nobody's name, and PostgreSQL refuses some of them. */
const loginSchema = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[^\p{Cc}\p{Surrogate}]*$/u);

/** Signing in and out. A session is an opaque token in a cookie; only its hash is stored, so it can be revoked. */
export function sessionRoutes(app: App, deps: HttpDeps, settings: HttpSettings): void {
  app.post(
    '/api/session',
    {
      schema: {
        summary: '登录',
        body: z.strictObject({ login: loginSchema, password: z.string().min(1).max(200) }),
        response: { 200: personSchema, 401: errorSchema, 429: errorSchema },
      },
    },
    async (request, reply) => {
      const signed = await deps.signIn(request.body.login, request.body.password, request.ip);
      if (signed === 'too-many-failures') {
        request.log.warn({ login: request.body.login, address: request.ip }, 'sign-in refused: too many failures');
        throw new UserError('too-many-requests', 429, '失败次数过多，请稍后再试');
      }
      if (signed === undefined) {
        request.log.warn({ login: request.body.login, address: request.ip }, 'sign-in refused');
        throw new UserError('wrong-credentials', 401, '用户名或密码不正确');
      }
      reply.setCookie(sessionCookie, signed.token, {
        path: '/',
        httpOnly: true,
        sameSite: 'strict',
        secure: settings.cookieSecure,
        expires: new Date(signed.expiresAtMs),
      });
      const { id, name, role, extension } = signed.person;
      return { person: { id, name, role, extension } };
    },
  );

  app.get(
    '/api/session',
    {
      preHandler: requirePerson(deps),
      schema: { summary: '当前用户', response: { 200: personSchema, 401: errorSchema } },
    },
    async (request) => {
      const { id, name, role, extension } = signedIn(request);
      return { person: { id, name, role, extension } };
    },
  );

  app.delete(
    '/api/session',
    { schema: { summary: '退出登录', response: { 204: z.void() } } },
    async (request, reply) => {
      const token = request.cookies[sessionCookie];
      if (token !== undefined) await deps.signOut(token);
      reply.clearCookie(sessionCookie, { path: '/' });
      return reply.code(204).send();
    },
  );
}
