/** Machines over HTTP: challenge, evidence, list, report. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import {
  Challenge,
  ChallengeRequest,
  EvidenceAnswer,
  EvidenceSubmission,
  MachineId,
  MachineList,
  PageCursor,
  ReportDocument,
  UnattestedNotice,
} from '../../protocol/messages.ts';
import { BytesError } from '../../shared/bytes.ts';
import { challenge, submitEvidence } from '../attest.ts';
import type { BrokerContext } from '../context.ts';
import { findMachine, listMachines, type PagePosition } from '../db/machines.ts';
import { newestReport } from '../db/reports.ts';
import { machineUnknown, RequestError } from '../errors.ts';
import { refusals } from './refusals.ts';

const ById = Type.Object({ machineId: MachineId });
const PAGE_SIZE = 500;
const Page = Type.Object({ after: Type.Optional(PageCursor) }, { additionalProperties: false });

export const machineRoutes: FastifyPluginCallbackTypebox<{ context: BrokerContext }> = (app, { context }, done) => {
  app.post(
    '/v1/machines/:machineId/challenges',
    {
      schema: {
        summary: 'The machine asks for a challenge; it voids its earlier one',
        params: ById,
        body: ChallengeRequest,
        response: { 201: Challenge, ...refusals(400, 403, 404, 429) },
      },
    },
    async (request, reply) => reply.code(201).send(await challenge(context, request.params.machineId, request.body)),
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
    {
      schema: {
        summary: 'Machines, the one that enrolled last first; unattested ones at the end',
        querystring: Page,
        response: { 200: MachineList, ...refusals(400) },
      },
    },
    async (request) => list(context, request.query.after),
  );
  app.get(
    '/v1/machines/:machineId/report',
    {
      schema: {
        summary: 'The newest report: everything a third party needs to judge again',
        params: ById,
        response: { 200: ReportDocument, ...refusals(400, 404, 410) },
      },
      // Stored as the text it was made as, megabytes of it: sent on without reading it again.
      serializerCompiler: () => (text) => String(text),
    },
    async (request, reply) => {
      const { machineId } = request.params;
      if ((await findMachine(context.db, machineId)) === null) throw machineUnknown();
      const newest = await newestReport(context.db, machineId);
      if (newest === 'none') throw new RequestError('REPORT_UNKNOWN', 'the machine has not sent any evidence yet');
      if (newest === 'dropped') {
        throw new RequestError('REPORT_NOT_KEPT', 'the machine was refused, and its evidence is no longer kept', {
          nextStep: 'wait for its next report, within minutes while the machine is on',
        });
      }
      // Public as it is: a verifier's page from disk or from elsewhere may read it, too.
      reply.header('access-control-allow-origin', '*').type('application/json; charset=utf-8');
      return reply.send(newest.document as unknown as ReportDocument);
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

/** A page; the last one also names the machines that cannot be attested, of which nothing is stored. */
async function list(context: BrokerContext, after: string | undefined): Promise<MachineList> {
  const found = await listMachines(context.db, PAGE_SIZE + 1, after === undefined ? null : positionOf(after));
  const known = found.slice(0, PAGE_SIZE);
  const end = known.at(-1);
  const next = found.length > PAGE_SIZE && end !== undefined ? cursorOf(end) : undefined;
  const unattested =
    next !== undefined
      ? []
      : context.unattested.all().map((machine) => ({ ...machine, attestation: 'unattested' as const }));
  const machines = [...known, ...unattested].map(({ machineId, attestation, reason, firstSeenAt, lastSeenAt }) => ({
    machineId,
    attestation,
    ...(reason === null ? {} : { reason }),
    firstSeenAt: firstSeenAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
  }));
  return { machines, ...(next === undefined ? {} : { next }) };
}

const cursorOf = ({ firstSeenAt, machineId }: PagePosition) => `${firstSeenAt.getTime()}-${machineId}`;

/** Of text that fits the schema. */
function positionOf(cursor: string): PagePosition {
  const [time = '', machineId = ''] = cursor.split('-');
  return { firstSeenAt: new Date(Number(time)), machineId };
}

function noteUnattested(context: BrokerContext, notice: UnattestedNotice) {
  try {
    return context.unattested.note(notice, context.now());
  } catch (error) {
    if (!(error instanceof BytesError)) throw error;
    throw new RequestError('REQUEST_MALFORMED', 'body/sessionPublicKey is not canonical base64');
  }
}
