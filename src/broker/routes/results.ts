/** Attestation results over HTTP: the broker's signed word on a machine, and the key that signs it. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { EAR_MEDIA_TYPE } from '../../attest/result/ear.ts';
import { BrokerKeys, MachineId } from '../../protocol/messages.ts';
import type { BrokerContext } from '../context.ts';
import { findMachine } from '../db/machines.ts';
import { newestResult } from '../db/reports.ts';
import { machineUnknown, RequestError } from '../errors.ts';
import { refusals } from './refusals.ts';

const ById = Type.Object({ machineId: MachineId });
/** header.claims.signature in base64url. */
const Token = Type.String({ pattern: '^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$' });
const Result = { description: 'EAR, draft-ietf-rats-ear-04', content: { [EAR_MEDIA_TYPE]: { schema: Token } } };

export const resultRoutes: FastifyPluginCallbackTypebox<{ context: BrokerContext }> = (app, { context }, done) => {
  app.get(
    '/v1/broker/keys',
    { schema: { summary: 'The key that signs results, as a JWK Set', response: { 200: BrokerKeys, ...refusals() } } },
    async () => context.results.keys,
  );
  app.get(
    '/v1/machines/:machineId/result',
    {
      schema: {
        summary:
          'The newest verdict as a signed attestation result; it expires by the time of judgement, not of asking',
        params: ById,
        response: { 200: Result, ...refusals(400, 404) },
      },
      // Stored as it was signed.
      serializerCompiler: () => (text) => String(text),
    },
    async (request, reply) => {
      const { machineId } = request.params;
      if ((await findMachine(context.db, machineId)) === null) throw machineUnknown();
      const token = await newestResult(context.db, machineId);
      if (token === null) throw new RequestError('RESULT_UNKNOWN', 'there is no signed result for this machine yet');
      return reply.type(EAR_MEDIA_TYPE).send(token);
    },
  );
  done();
};
