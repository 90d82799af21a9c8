/** A verifier's own challenge over HTTP: keys, challenge, the machine's side, the answer. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { MachineId } from '../../protocol/messages.ts';
import {
  MachineKeys,
  PendingAnswer,
  PendingRequest,
  Verification,
  VerificationAnswer,
  VerificationReceipt,
  VerificationRequest,
} from '../../protocol/relay-messages.ts';
import type { BrokerContext } from '../context.ts';
import { requesterOf } from '../rate-limit.ts';
import { answer, ask, collect, pending, publicKeys } from '../relay.ts';
import { refusals } from './refusals.ts';

const VerificationId = Type.String({ pattern: '^[0-9a-f]{32}$' });
const ByMachine = Type.Object({ machineId: MachineId });
const ByBoth = Type.Object({ machineId: MachineId, verificationId: VerificationId });

export const verificationRoutes: FastifyPluginCallbackTypebox<{ context: BrokerContext }> = (
  app,
  { context },
  done,
) => {
  // Nothing may hold up the end of the server.
  app.addHook('preClose', async () => context.doorbells.close());
  app.get(
    '/v1/machines/:machineId/keys',
    {
      schema: {
        summary: 'What a verifier needs for a challenge and a credential of its own',
        params: ByMachine,
        response: { 200: MachineKeys, ...refusals(400, 404, 429) },
      },
    },
    async (request) => publicKeys(context, request.params.machineId),
  );
  app.post(
    '/v1/machines/:machineId/verifications',
    {
      schema: {
        summary: "Send a verifier's own challenge to the machine",
        params: ByMachine,
        body: VerificationRequest,
        response: { 202: VerificationReceipt, ...refusals(400, 404, 409, 429, 503) },
      },
    },
    async (request, reply) =>
      reply.code(202).send(await ask(context, request.params.machineId, request.body, requesterOf(request.ip))),
  );
  app.post(
    '/v1/machines/:machineId/pending',
    {
      schema: {
        summary: 'The machine asks what verifiers want of it; the answer may take up to waitMs',
        params: ByMachine,
        body: PendingRequest,
        response: { 200: PendingAnswer, ...refusals(400, 403, 404, 429) },
      },
    },
    async (request, reply) => {
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      return pending(context, request.params.machineId, request.body, gone.signal);
    },
  );
  app.post(
    '/v1/machines/:machineId/verifications/:verificationId/evidence',
    {
      schema: {
        summary: "The machine answers a verifier's challenge, or says why it cannot",
        params: ByBoth,
        body: VerificationAnswer,
        response: { 204: Type.Null(), ...refusals(400, 403, 404, 409, 410, 429) },
      },
    },
    async (request, reply) => {
      const { machineId, verificationId } = request.params;
      await answer(context, machineId, verificationId, request.body);
      return reply.code(204).send(null);
    },
  );
  app.get(
    '/v1/verifications/:verificationId',
    {
      schema: {
        summary: "The machine's answer, as soon as it is there; it is kept for two minutes",
        params: Type.Object({ verificationId: VerificationId }),
        response: { 200: Verification, ...refusals(400, 404, 410, 429) },
      },
      // Put together as text around the evidence, which may be megabytes.
      serializerCompiler: () => (text) => String(text),
    },
    async (request, reply) => {
      const text = await collect(context, request.params.verificationId);
      return reply.type('application/json; charset=utf-8').send(text as unknown as Verification);
    },
  );
  done();
};
