/** Verifiers' challenges as rows: bounded, handed to their machine in order, answered once, gone when they expire. */
import type { VerificationFailure } from '../../protocol/relay-messages.ts';
import { machineUnknown, RequestError } from '../errors.ts';
import {
  answerRefusal,
  COLLECT_WITHIN_MS,
  type KeptVerification,
  type OpenVerification,
  REMEMBERED_MS,
  type VerificationLimits,
} from '../verification.ts';
import type { Database, Queryable } from './database.ts';
import { lockMachine } from './machines.ts';

interface Row {
  verification_id: string;
  machine_id: string;
  requester: string;
  challenge: string;
  credential_blob: string | null;
  encrypted_secret: string | null;
  state: KeptVerification['state'];
  expires_at: Date;
  answered_at: Date | null;
  evidence: string | null;
  answer: string | null;
  failure: VerificationFailure | null;
}

/** @throws RequestError MACHINE_UNKNOWN | VERIFICATIONS_BUSY | VERIFICATIONS_FULL | VERIFICATION_REPEATED */
export async function addVerification(
  db: Database,
  fresh: OpenVerification,
  now: Date,
  limits: VerificationLimits,
): Promise<void> {
  await db.transaction(async (transaction) => {
    if ((await lockMachine(transaction, fresh.machineId)) === null) throw machineUnknown();
    await sweepVerifications(transaction, now);
    const [counts] = await transaction.query<Counts>(
      `SELECT (count(*) FILTER (WHERE expires_at > $3))::int4 AS total,
         (count(*) FILTER (WHERE expires_at > $3 AND machine_id = $1 AND state = 'waiting'))::int4 AS machine,
         (count(*) FILTER (WHERE expires_at > $3 AND requester = $2))::int4 AS requester,
         (count(*) FILTER (WHERE machine_id = $1 AND requester = $2 AND credential_blob IS NOT NULL))::int4 AS credentials
       FROM verifications`,
      [fresh.machineId, fresh.requester, now.toISOString()],
    );
    const refusal = counts === undefined ? null : roomRefusal(counts, fresh, limits);
    if (refusal !== null) throw refusal;
    const added = await transaction.query(
      `INSERT INTO verifications (verification_id, machine_id, requester, challenge, credential_blob, encrypted_secret,
         state, asked_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, $8)
       ON CONFLICT (challenge) DO NOTHING RETURNING verification_id`,
      [
        fresh.verificationId,
        fresh.machineId,
        fresh.requester,
        fresh.challenge,
        fresh.credential?.credentialBlob ?? null,
        fresh.credential?.encryptedSecret ?? null,
        now.toISOString(),
        fresh.expiresAt.toISOString(),
      ],
    );
    if (added.length === 0) {
      throw new RequestError('VERIFICATION_REPEATED', 'this challenge was sent before: a challenge is good once', {
        nextStep: 'make a new random challenge',
      });
    }
  });
}

interface Counts {
  total: number;
  machine: number;
  requester: number;
  credentials: number;
}

function roomRefusal(counts: Counts, fresh: OpenVerification, limits: VerificationLimits): RequestError | null {
  const nextStep = 'try again in a minute';
  if (fresh.credential !== null && counts.credentials >= limits.credentials) {
    const minutes = Math.ceil(REMEMBERED_MS / 60_000);
    return new RequestError('VERIFICATIONS_BUSY', 'this machine has opened credentials for this address lately', {
      nextStep: `try again in ${minutes} minutes; until then judge the machine's report: GET /v1/machines/MACHINE/report`,
    });
  }
  if (counts.requester >= limits.perRequester) {
    return new RequestError('VERIFICATIONS_BUSY', 'too many challenges of this address are kept', { nextStep });
  }
  if (counts.machine >= limits.perMachine) {
    return new RequestError('VERIFICATIONS_BUSY', 'too many challenges are waiting for this machine', { nextStep });
  }
  if (counts.total < limits.total) return null;
  return new RequestError('VERIFICATIONS_FULL', 'too many challenges are waiting at this broker', { nextStep });
}

/** Drops the evidence of what is over, and forgets what has been over for a while. Locked rows are somebody else's to delete: two that sweep must not wait for each other. */
export async function sweepVerifications(db: Queryable, now: Date): Promise<void> {
  await db.query(
    `UPDATE verifications SET evidence = NULL WHERE verification_id IN (
       SELECT verification_id FROM verifications WHERE expires_at <= $1 AND evidence IS NOT NULL FOR UPDATE SKIP LOCKED
     )`,
    [now.toISOString()],
  );
  await db.query(
    `DELETE FROM verifications WHERE verification_id IN (
       SELECT verification_id FROM verifications WHERE expires_at <= $1 FOR UPDATE SKIP LOCKED
     )`,
    [new Date(now.getTime() - REMEMBERED_MS).toISOString()],
  );
}

/** The one that waits longest, or null. It stays waiting until it is answered: an answer that was lost is asked for again. */
export async function nextVerification(db: Queryable, machineId: string, now: Date): Promise<KeptVerification | null> {
  const [row] = await db.query<Row>(
    `SELECT * FROM verifications WHERE machine_id = $1 AND state = 'waiting' AND expires_at > $2
     ORDER BY asked_at, verification_id LIMIT 1`,
    [machineId, now.toISOString()],
  );
  return row === undefined ? null : toKept(row);
}

export async function findVerification(db: Queryable, verificationId: string): Promise<KeptVerification | null> {
  const [row] = await db.query<Row>('SELECT * FROM verifications WHERE verification_id = $1', [verificationId]);
  return row === undefined ? null : toKept(row);
}

export type Answered =
  | { readonly evidence: string; readonly answer: string | null }
  | { readonly failure: VerificationFailure };

/** Once, by its machine, in time; then it is kept for the verifier to collect. @throws RequestError VERIFICATION_* */
export async function answerVerification(
  db: Database,
  which: { readonly verificationId: string; readonly machineId: string },
  answered: Answered,
  now: Date,
): Promise<void> {
  const { verificationId, machineId } = which;
  const [evidence, answer, failure] =
    'failure' in answered ? [null, null, answered.failure] : [answered.evidence, answered.answer, null];
  await db.transaction(async (transaction) => {
    const [row] = await transaction.query<Row>('SELECT * FROM verifications WHERE verification_id = $1 FOR UPDATE', [
      verificationId,
    ]);
    const refusal = answerRefusal(row === undefined ? null : toKept(row), machineId, now);
    if (refusal !== null) throw refusal;
    await transaction.query(
      `UPDATE verifications SET state = $2, evidence = $3, answer = $4, failure = $5, answered_at = $6, expires_at = $7
       WHERE verification_id = $1`,
      [
        verificationId,
        failure === null ? 'answered' : 'failed',
        evidence,
        answer,
        failure,
        now.toISOString(),
        new Date(now.getTime() + COLLECT_WITHIN_MS).toISOString(),
      ],
    );
  });
}

function toKept(row: Row): KeptVerification {
  return {
    verificationId: row.verification_id,
    machineId: row.machine_id,
    requester: row.requester,
    challenge: row.challenge,
    credential:
      row.credential_blob === null || row.encrypted_secret === null
        ? null
        : { credentialBlob: row.credential_blob, encryptedSecret: row.encrypted_secret },
    state: row.state,
    expiresAt: row.expires_at,
    answeredAt: row.answered_at,
    evidence: row.evidence,
    answer: row.answer,
    failure: row.failure,
  };
}
