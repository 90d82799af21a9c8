/** The flow of attestation: challenge out, evidence in, verdict kept. What is judged lies in src/attest. */
import { randomBytes } from 'node:crypto';
import type { Evidence } from '../attest/evidence.ts';
import type { Verdict } from '../attest/verdict.ts';
import { decodeEvidence, EvidenceDocumentError } from '../protocol/evidence-document.ts';
import type {
  Challenge,
  ChallengeRequest,
  EvidenceAnswer,
  EvidenceDocument,
  EvidenceSubmission,
  ReportDocument,
} from '../protocol/messages.ts';
import { encodeJudgement } from '../protocol/report-document.ts';
import { fromHex, toBase64, toHex } from '../shared/bytes.ts';
import { CHALLENGE_BYTES, CHALLENGE_LIFETIME_MS } from './challenge.ts';
import type { BrokerContext } from './context.ts';
import { issueChallenge, takeChallenge } from './db/challenges.ts';
import { findActivatedKey, findMachine, type Machine } from './db/machines.ts';
import { addReport } from './db/reports.ts';
import { machineUnknown, RequestError } from './errors.ts';
import { requireMachine, sessionNotOfMachine } from './session.ts';
import { nameHexOf } from './tpm-keys.ts';
import { signActivation } from './transcript.ts';

/** POST /v1/machines/:machineId/challenges */
export async function challenge(
  context: BrokerContext,
  machineId: string,
  request: ChallengeRequest,
): Promise<Challenge> {
  await requireMachine(context, { machineId, purpose: 'challenge', subject: '' }, request.signature);
  const now = context.now();
  const fresh = {
    challengeId: toHex(randomBytes(16)),
    machineId,
    challenge: toHex(randomBytes(CHALLENGE_BYTES)),
    state: 'open',
    expiresAt: new Date(now.getTime() + CHALLENGE_LIFETIME_MS),
  } as const;
  await issueChallenge(context.db, fresh, now);
  return {
    challengeId: fresh.challengeId,
    challenge: fresh.challenge,
    brokerId: context.identity.brokerId,
    pcrSelection: { bank: 'sha256', pcrs: [...context.quotedPcrs] },
    expiresAt: fresh.expiresAt.toISOString(),
  };
}

/** POST /v1/machines/:machineId/evidence */
export async function submitEvidence(
  context: BrokerContext,
  machineId: string,
  submission: EvidenceSubmission,
): Promise<EvidenceAnswer> {
  const machine = await findMachine(context.db, machineId);
  if (machine === null) throw machineUnknown();
  const time = context.now();
  const taken = await takeChallenge(context.db, submission.challengeId, machineId, time);
  // From here on the challenge is spent, whatever comes of it.
  const evidence = readEvidence(submission.evidence);
  requireOwnKeys(evidence, machine);
  const akName = nameHexOf(evidence.akPublic);
  const key = akName === null ? null : await findActivatedKey(context.db, machineId, akName);
  if (key === null) {
    throw new RequestError('AK_NOT_ACTIVATED', 'the AK in the evidence was never activated for this machine', {
      nextStep: 'enrol this AK: POST /v1/enrolments',
    });
  }
  const names = { ekName: machine.ekName, akName: key.akName };
  const { lastClock } = machine;
  const verdict = context.judge(evidence, { challenge: fromHex(taken.challenge), ...names, lastClock, time });
  const report: ReportDocument = {
    format: 'cpushare-report',
    version: 2,
    machineId,
    brokerId: context.identity.brokerId,
    challenge: taken.challenge,
    receivedAt: time.toISOString(),
    evidence: submission.evidence,
    activation: signActivation({ ...names, activatedAt: key.activatedAt.toISOString() }, context.identity),
    judgement: encodeJudgement(context.results.judgementOf(evidence, time)),
    verdict,
  };
  const judged = { machineId, challenge: fromHex(taken.challenge), evidence, time };
  const reason = firstFailure(verdict)?.code ?? null;
  await addReport(context.db, {
    machineId,
    challenge: taken.challenge,
    receivedAt: time,
    status: verdict.status,
    reason,
    document: JSON.stringify(report),
    result: await context.results.sign(verdict, judged),
    ...(verdict.clock === null ? {} : { clock: { now: verdict.clock, judgedAfter: lastClock } }),
  });
  context.log(`machine ${machineId} ${verdict.status}${reason === null ? '' : `: ${reason}`}`);
  return answerOf(verdict, context.nextAttestationMs[verdict.status]);
}

function answerOf(verdict: Verdict, nextAttestationMs: number): EvidenceAnswer {
  const checks = verdict.checks.map(({ name, status, code, sentence, remedy }) => ({
    name,
    status,
    sentence,
    ...(code === undefined ? {} : { code }),
    ...(remedy === undefined ? {} : { remedy }),
  }));
  return { status: verdict.status, checks, nextAttestationMs };
}

function firstFailure(verdict: Verdict) {
  return verdict.checks.find((check) => check.status === 'failed');
}

/** @throws RequestError EK_NOT_OF_MACHINE | SESSION_NOT_OF_MACHINE: evidence of another TPM, or of another run of the client */
export function requireOwnKeys(evidence: Evidence, machine: Machine): void {
  if (nameHexOf(evidence.ekPublic) !== machine.ekName) {
    throw new RequestError('EK_NOT_OF_MACHINE', 'the EK in the evidence is not the one this machine enrolled with');
  }
  if (toBase64(evidence.sessionPublicKey) !== machine.sessionPublicKey) {
    throw sessionNotOfMachine('the session key in the evidence is not the one this machine enrolled with');
  }
}

/** @throws RequestError EVIDENCE_MALFORMED */
export function readEvidence(document: EvidenceDocument): Evidence {
  try {
    return decodeEvidence(document);
  } catch (error) {
    if (!(error instanceof EvidenceDocumentError)) throw error;
    const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
    throw new RequestError('EVIDENCE_MALFORMED', `${error.message}${cause}`);
  }
}
