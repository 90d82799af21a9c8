/** Enrolment over HTTP. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { ActivationAnswer, ActivationRequest, EnrolmentChallenge, EnrolmentRequest } from '../../protocol/messages.ts';
import type { BrokerContext } from '../context.ts';
import { activate, enrol } from '../enrol.ts';
import { refusals } from './refusals.ts';

const EnrolmentId = Type.Object({ enrolmentId: Type.String({ pattern: '^[0-9a-f]{32}$' }) });

export const enrolmentRoutes: FastifyPluginCallbackTypebox<{ context: BrokerContext }> = (app, { context }, done) => {
  app.post(
    '/v1/enrolments',
    {
      schema: {
        summary: 'Ask for a credential that only the TPM holding this EK can open for this AK',
        body: EnrolmentRequest,
        response: { 201: EnrolmentChallenge, ...refusals(400, 429, 503) },
      },
    },
    async (request, reply) => reply.code(201).send(await enrol(context, request.body)),
  );
  app.post(
    '/v1/enrolments/:enrolmentId/activation',
    {
      schema: {
        summary: 'Bring the secret back: the machine is known from now on; the same again gives the same answer',
        params: EnrolmentId,
        body: ActivationRequest,
        response: { 200: ActivationAnswer, ...refusals(400, 403, 429, 503) },
      },
    },
    async (request) => activate(context, request.params.enrolmentId, request.body),
  );
  done();
};
