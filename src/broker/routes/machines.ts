/** Machines over HTTP: challenge, evidence, list, report. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import {
  Challenge,
  EvidenceAnswer,
  EvidenceSubmission,
  MachineId,
  MachineList,
  ReportDocument,
  UnattestedNotice,
} from '../../protocol/messages.ts';
import { BytesError } from '../../shared/bytes.ts';
import { challenge, submitEvidence } from '../attest.ts';
import type { BrokerContext } from '../context.ts';
import { findMachine, listMachines } from '../db/machines.ts';
import { newestReport } from '../db/reports.ts';
import { machineUnknown, RequestError } from '../errors.ts';
import { refusals } from './refusals.ts';

const ById = Type.Object({ machineId: MachineId });
/** Enough to look at; a market of more machines will need pages. */
const LIST_LIMIT = 1000;

export const machineRoutes: FastifyPluginCallbackTypebox<{ context: BrokerContext }> = (app, { context }, done) => {
  app.post(
    '/v1/machines/:machineId/challenges',
    {
      schema: {
        summary: 'Ask for a challenge; it voids the earlier one of this machine',
        params: ById,
        response: { 201: Challenge, ...refusals(400, 404, 429) },
      },
    },
    async (request, reply) => {
      if (request.body !== undefined && request.body !== null) {
        throw new RequestError('REQUEST_MALFORMED', 'this request has no body');
      }
      return reply.code(201).send(await challenge(context, request.params.machineId));
    },
  );
  app.post(
    '/v1/machines/:machineId/evidence',
    {
      schema: {
        summary: 'Answer a challenge; the answer is 200 whether the evidence is accepted or refused',
        params: ById,
        body: EvidenceSubmission,
        response: { 200: EvidenceAnswer, ...refusals(400, 403, 404, 409, 410, 429) },
      },
    },
    async (request) => submitEvidence(context, request.params.machineId, request.body),
  );
  app.get(
    '/v1/machines',
    { schema: { summary: 'Machines, the one seen last first', response: { 200: MachineList, ...refusals() } } },
    async () => list(context),
  );
  app.get(
    '/v1/machines/:machineId/report',
    {
      schema: {
        summary: 'The newest report: everything a third party needs to judge again',
        params: ById,
        response: { 200: ReportDocument, ...refusals(400, 404) },
      },
      // Stored as the text it was made as, megabytes of it: sent on without reading it again.
      serializerCompiler: () => (text) => String(text),
    },
    async (request, reply) => {
      const { machineId } = request.params;
      if ((await findMachine(context.db, machineId)) === null) throw machineUnknown();
      const text = await newestReport(context.db, machineId);
      if (text === null) throw new RequestError('REPORT_UNKNOWN', 'the machine has not sent any evidence yet');
      return reply.type('application/json; charset=utf-8').send(text as unknown as ReportDocument);
    },
  );
  app.post(
    '/v1/unattested',
    {
      schema: {
        summary: 'A machine that cannot be attested says so',
        body: UnattestedNotice,
        response: { 204: Type.Null(), ...refusals(400, 429) },
      },
    },
    async (request, reply) => {
      const machine = noteUnattested(context, request.body);
      context.log(`machine ${machine.machineId} unattested: ${machine.reason}`);
      return reply.code(204).send(null);
    },
  );
  done();
};

async function list(context: BrokerContext): Promise<MachineList> {
  const known = await listMachines(context.db, LIST_LIMIT);
  const unattested = context.unattested.all().map((machine) => ({ ...machine, attestation: 'unattested' as const }));
  const machines = [...known, ...unattested].map(({ machineId, attestation, reason, firstSeenAt, lastSeenAt }) => ({
    machineId,
    attestation,
    ...(reason === null ? {} : { reason }),
    firstSeenAt: firstSeenAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
  }));
  return { machines };
}

function noteUnattested(context: BrokerContext, notice: UnattestedNotice) {
  try {
    return context.unattested.note(notice, context.now());
  } catch (error) {
    if (!(error instanceof BytesError)) throw error;
    throw new RequestError('REQUEST_MALFORMED', 'body/sessionPublicKey is not canonical base64');
  }
}
