/** The broker about itself, over HTTP. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { BrokerFacts } from '../../protocol/messages.ts';
import type { BrokerContext } from '../context.ts';
import { refusals } from './refusals.ts';

const Health = Type.Object({ status: Type.Literal('ok') }, { additionalProperties: false });

export const brokerRoutes: FastifyPluginCallbackTypebox<{ context: BrokerContext }> = (app, { context }, done) => {
  app.get(
    '/v1/broker',
    { schema: { summary: 'Who this broker is', response: { 200: BrokerFacts, ...refusals() } } },
    async () => ({ brokerId: context.identity.brokerId, version: context.version }),
  );
  app.get(
    '/healthz',
    { schema: { summary: 'Whether the broker and its database answer', response: { 200: Health, ...refusals() } } },
    async () => {
      await context.db.query('SELECT 1');
      return { status: 'ok' as const };
    },
  );
  app.get('/v1/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  done();
};
