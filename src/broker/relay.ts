/** The flow of a verifier's own challenge: kept for the machine, fetched and answered by it, collected by the verifier. */
import { randomBytes } from 'node:crypto';
import type {
  MachineKeys,
  PendingAnswer,
  PendingRequest,
  VerificationAnswer,
  VerificationReceipt,
  VerificationRequest,
} from '../protocol/relay-messages.ts';
import { BytesError, fromBase64, toHex } from '../shared/bytes.ts';
import { readEvidence, requireOwnKeys } from './attest.ts';
import type { BrokerContext } from './context.ts';
import { findPublicKeys } from './db/machines.ts';
import {
  type Answered,
  addVerification,
  answerVerification,
  findVerification,
  nextVerification,
} from './db/verifications.ts';
import { machineUnknown, RequestError } from './errors.ts';
import { requireMachine } from './session.ts';
import { signActivation } from './transcript.ts';
import { ANSWER_WITHIN_MS, type KeptVerification, verificationExpired, verificationUnknown } from './verification.ts';

/** Between polls that could not be held open. */
const UNHELD_POLL_MS = 10_000;

/** GET /v1/machines/:machineId/keys */
export async function publicKeys(context: BrokerContext, machineId: string): Promise<MachineKeys> {
  const keys = await findPublicKeys(context.db, machineId);
  if (keys === null) throw machineUnknown();
  const { ekName, ekPublic, akName, akPublic, activatedAt } = keys;
  const { identity } = context;
  const activation = signActivation({ ekName, akName, activatedAt: activatedAt.toISOString() }, identity);
  return { machineId, brokerId: identity.brokerId, ekPublic, akPublic, activation };
}

/** POST /v1/machines/:machineId/verifications. @param requester the address, as the rate limit sees it */
export async function ask(
  context: BrokerContext,
  machineId: string,
  request: VerificationRequest,
  requester: string,
): Promise<VerificationReceipt> {
  requireBinary(request.credential);
  const now = context.now();
  const verificationId = toHex(randomBytes(16));
  const expiresAt = new Date(now.getTime() + ANSWER_WITHIN_MS);
  const credential = request.credential ?? null;
  const fresh = { verificationId, machineId, requester, challenge: request.challenge, credential, expiresAt };
  await addVerification(context.db, fresh, now, context.limits.verifications);
  context.doorbells.ring(machineId);
  return { verificationId, expiresAt: expiresAt.toISOString() };
}

/** POST /v1/machines/:machineId/pending. Held open for up to `waitMs`; `gone` aborts when the machine has hung up. */
export async function pending(
  context: BrokerContext,
  machineId: string,
  request: PendingRequest,
  gone: AbortSignal,
): Promise<PendingAnswer> {
  await requireMachine(context, { machineId, purpose: 'pending', subject: '' }, request.signature);
  // At the door before the look: what comes between look and wait rings.
  const place = context.doorbells.enter(machineId);
  try {
    const found = await nextVerification(context.db, machineId, context.now());
    if (found !== null || place === null) return toPending(context, found, place === null ? UNHELD_POLL_MS : 0);
    await place.wait(request.waitMs, gone);
    if (gone.aborted) return { nextPollMs: 0 };
    return toPending(context, await nextVerification(context.db, machineId, context.now()), 0);
  } finally {
    place?.leave();
  }
}

/** POST /v1/machines/:machineId/verifications/:verificationId/evidence */
export async function answer(
  context: BrokerContext,
  machineId: string,
  verificationId: string,
  given: VerificationAnswer,
): Promise<void> {
  const asked = { machineId, purpose: 'answer', subject: verificationId } as const;
  const machine = await requireMachine(context, asked, given.signature);
  if (given.evidence !== undefined) requireOwnKeys(readEvidence(given.evidence), machine);
  await answerVerification(context.db, { verificationId, machineId }, answered(given), context.now());
  context.log(`machine ${machineId} answered a verifier${given.failure === undefined ? '' : `: ${given.failure}`}`);
}

/** GET /v1/verifications/:verificationId, as JSON text: the evidence in it was checked on its way in. */
export async function collect(context: BrokerContext, verificationId: string): Promise<string> {
  const kept = await findVerification(context.db, verificationId);
  if (kept === null) throw verificationUnknown();
  if (context.now() >= kept.expiresAt) throw verificationExpired(kept.expiresAt);
  const { machineId, state, failure } = kept;
  const head = JSON.stringify({
    verificationId,
    machineId,
    state,
    expiresAt: kept.expiresAt.toISOString(),
    ...(kept.answeredAt === null ? {} : { answeredAt: kept.answeredAt.toISOString() }),
    ...(failure === null ? {} : { failure }),
    ...(kept.answer === null ? {} : { answer: kept.answer }),
  });
  return kept.evidence === null ? head : `${head.slice(0, -1)},"evidence":${kept.evidence}}`;
}

function toPending(context: BrokerContext, found: KeptVerification | null, nextPollMs: number): PendingAnswer {
  if (found === null) return { nextPollMs };
  const { verificationId, challenge, credential } = found;
  const pcrSelection = { bank: 'sha256' as const, pcrs: [...context.quotedPcrs] };
  const verification = { verificationId, challenge, pcrSelection, ...(credential === null ? {} : { credential }) };
  return { verification, nextPollMs };
}

function answered({ evidence, answer, failure }: VerificationAnswer): Answered {
  if (failure !== undefined && evidence === undefined && answer === undefined) return { failure };
  if (evidence !== undefined && failure === undefined) {
    return { evidence: JSON.stringify(evidence), answer: answer ?? null };
  }
  throw new RequestError('REQUEST_MALFORMED', 'the body must hold either evidence or a failure');
}

/** The schema lets only base64 through, this only its one canonical spelling. */
function requireBinary(credential: VerificationRequest['credential']): void {
  try {
    fromBase64(credential?.credentialBlob ?? '');
    fromBase64(credential?.encryptedSecret ?? '');
  } catch (error) {
    if (!(error instanceof BytesError)) throw error;
    throw new RequestError('REQUEST_MALFORMED', 'body/credential is not canonical base64');
  }
}
