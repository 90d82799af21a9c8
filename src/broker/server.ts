/** The HTTP server: TLS, bounds, schemas, and one shape for every refusal. What it serves is in routes/. */
import fastifySwagger from '@fastify/swagger';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify from 'fastify';
import { MAX_BODY_BYTES } from '../protocol/messages.ts';
import { answerBrokenHttp, answerError } from './answer-errors.ts';
import type { BrokerContext } from './context.ts';
import { RequestError } from './errors.ts';
import { createRateLimiter, type RateLimit, requesterOf } from './rate-limit.ts';
import { brokerRoutes } from './routes/broker.ts';
import { enrolmentRoutes } from './routes/enrolments.ts';
import { machineRoutes } from './routes/machines.ts';
import { pageRoutes } from './routes/page.ts';
import { pairPageRoutes } from './routes/pair-page.ts';
import { pairingRoutes } from './routes/pairings.ts';
import { resultRoutes } from './routes/results.ts';
import { verificationRoutes } from './routes/verifications.ts';

export interface ServerLimits {
  readonly rate: RateLimit;
  readonly connections: number;
}

/** `verifierPage` is a whole HTML file, or null where there is none to hand out. */
export async function createServer(context: BrokerContext, limits: ServerLimits, verifierPage: string | null = null) {
  const app = fastify({
    https: {
      key: context.identity.privateKey.export({ type: 'pkcs8', format: 'pem' }),
      cert: context.identity.certificatePem,
      minVersion: 'TLSv1.3',
      handshakeTimeout: 10_000,
      headersTimeout: 10_000,
      maxHeaderSize: 8192,
    },
    bodyLimit: MAX_BODY_BYTES,
    // A body of 4 MiB within a minute: slower than any line a machine can be rented over.
    requestTimeout: 60_000,
    keepAliveTimeout: 30_000,
    forceCloseConnections: true,
    logger: false,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false, allErrors: false } },
    clientErrorHandler: answerBrokenHttp,
    frameworkErrors: (error, request, reply) => answerError(error, request, reply, context.log),
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.removeContentTypeParser('text/plain'); // JSON is all the broker reads
  app.server.maxConnections = limits.connections;

  const limiter = createRateLimiter(limits.rate);
  app.addHook('onRequest', async (request, reply) => {
    const waitSeconds = limiter.take(requesterOf(request.ip), context.now().getTime());
    if (waitSeconds === 0) return;
    reply.header('retry-after', waitSeconds);
    throw new RequestError('RATE_LIMITED', 'too many requests from this address', {
      nextStep: `wait ${waitSeconds} s`,
    });
  });
  app.setErrorHandler((error: Error, request, reply) => answerError(error, request, reply, context.log));
  app.setNotFoundHandler(() => {
    throw new RequestError('ROUTE_UNKNOWN', 'there is nothing at this method and path', {
      nextStep: 'read /v1/openapi.json',
    });
  });

  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'cpushare broker', version: context.version, license: { name: 'Apache-2.0' } },
    },
  });
  await app.register(brokerRoutes, { context });
  await app.register(enrolmentRoutes, { context });
  await app.register(machineRoutes, { context });
  await app.register(pairingRoutes, { context });
  await app.register(pairPageRoutes, { context });
  await app.register(resultRoutes, { context });
  if (verifierPage !== null) await app.register(pageRoutes, { page: verifierPage });
  await app.register(verificationRoutes, { context });
  return app;
}
