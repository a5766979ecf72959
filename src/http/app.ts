import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import fastifyStatic from '@fastify/static';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyBaseLogger, FastifyError } from 'fastify';
import {
  hasZodFastifySchemaValidationErrors,
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
} from 'fastify-type-provider-zod';
import { UserError } from '../kernel/errors.ts';
import type { HttpDeps, HttpSettings } from './deps.ts';
import { callbackRoutes } from './routes/callbacks.ts';
import { callRoutes } from './routes/calls.ts';
import { directoryRoutes } from './routes/directory.ts';
import { operationRoutes } from './routes/operations.ts';
import { sessionRoutes } from './routes/session.ts';
import { workOrderRoutes } from './routes/work-orders.ts';
import { type App, bareServer } from './server.ts';

/** The HTTP side: API, pages, OpenAPI at /docs, health and metrics. It does not listen yet. */
export async function buildHttp(deps: HttpDeps, settings: HttpSettings, log: FastifyBaseLogger): Promise<App> {
  const app = bareServer(log);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.decorateRequest('person', null);
  await app.register(cookie);
  await app.register(helmet, {
    contentSecurityPolicy: {
      directives: {
        defaultSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        frameAncestors: ["'none'"],
        // The pages are also served without TLS inside a centre's own network.
        upgradeInsecureRequests: null,
      },
    },
    strictTransportSecurity: settings.cookieSecure,
    // Browsers ignore this header without TLS, and say so on the console.
    crossOriginOpenerPolicy: settings.cookieSecure,
  });
  await app.register(rateLimit, {
    // A whole hall opens its pages from behind one address at the change of shifts.
    max: 6000,
    timeWindow: '1 minute',
    allowList: (request) => request.url === '/healthz' || request.url === '/metrics',
    errorResponseBuilder: () => new UserError('too-many-requests', 429, '请求过于频繁，请稍后再试'),
  });
  await app.register(swagger, {
    openapi: { info: { title: '一号通 API', version: '0.1.0' } },
    transform: jsonSchemaTransform,
  });
  await app.register(swaggerUi, { routePrefix: '/docs' });

  app.setErrorHandler((error: FastifyError | Error, request, reply) => {
    if (error instanceof UserError) return reply.code(error.status).send({ code: error.code, message: error.message });
    if (hasZodFastifySchemaValidationErrors(error)) {
      const first = error.validation[0];
      const where = `${error.validationContext ?? ''}${first?.instancePath ?? ''}`;
      return reply.code(400).send({ code: 'bad-input', message: `输入不符合要求：${where} ${first?.message ?? ''}` });
    }
    const status = 'statusCode' in error ? (error.statusCode ?? 500) : 500;
    if (status < 500) return reply.code(status).send({ code: 'bad-request', message: `请求有误：${error.message}` });
    request.log.error({ err: error, url: request.url }, 'request failed');
    return reply.code(500).send({ code: 'internal', message: '系统暂时出错，请稍后重试' });
  });

  sessionRoutes(app, deps, settings);
  directoryRoutes(app, deps);
  callRoutes(app, deps);
  callbackRoutes(app, deps);
  workOrderRoutes(app, deps);
  operationRoutes(app, deps);

  if (settings.webFolder !== undefined)
    await app.register(fastifyStatic, { root: settings.webFolder, wildcard: false });
  app.setNotFoundHandler({ preHandler: app.rateLimit({ max: 120, timeWindow: '1 minute' }) }, (request, reply) => {
    const isPage =
      request.method === 'GET' &&
      !request.url.startsWith('/api/') &&
      (request.headers.accept ?? '').includes('text/html');
    // The pages route in the browser; every page address is the same document.
    if (isPage && settings.webFolder !== undefined) return reply.sendFile('index.html');
    return reply.code(404).send({ code: 'not-found', message: '没有这个地址' });
  });
  return app;
}
