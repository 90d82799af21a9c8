/** Codes that machines show, and which machine belongs to which account, as rows. */
import type { PairingFacts } from '../../protocol/pairing-messages.ts';
import { RequestError } from '../errors.ts';
import { isOpen, judgePoll, type Pairing, type PairingLimits, type PollJudgement, UNSEEN_MS } from '../pairing.ts';
import type { Database, Queryable } from './database.ts';

interface Row {
  machine_id: string;
  lasting: boolean;
  facts: string;
  address: string;
  state: Pairing['state'];
  account: string | null;
  looks: number;
  interval_seconds: number;
  polled_at: Date | null;
  expires_at: Date;
}

export interface NewPairing {
  readonly deviceCodeSha256: string;
  readonly userCodeSha256: string;
  readonly machineId: string;
  readonly lasting: boolean;
  readonly facts: PairingFacts;
  readonly address: string;
  /** The address as the rate limit sees it. */
  readonly requester: string;
  readonly intervalSeconds: number;
  readonly expiresAt: Date;
}

/** In place of the machine's earlier code. @throws RequestError PAIRINGS_BUSY | PAIRINGS_FULL */
export async function addPairing(db: Database, fresh: NewPairing, now: Date, limits: PairingLimits): Promise<void> {
  await db.transaction(async (transaction) => {
    await transaction.query('DELETE FROM pairings WHERE expires_at <= $1 OR machine_id = $2', [
      now.toISOString(),
      fresh.machineId,
    ]);
    const [counts] = await transaction.query<{ total: number; requester: number }>(
      'SELECT count(*)::int4 AS total, (count(*) FILTER (WHERE requester = $1))::int4 AS requester FROM pairings',
      [fresh.requester],
    );
    const nextStep = `the machine asks again by itself`;
    if (counts !== undefined && counts.requester >= limits.perRequester) {
      throw new RequestError('PAIRINGS_BUSY', 'too many machines of this address wait to be paired', { nextStep });
    }
    if (counts !== undefined && counts.total >= limits.total) {
      throw new RequestError('PAIRINGS_FULL', 'too many machines wait to be paired at this broker', { nextStep });
    }
    await transaction.query(
      `INSERT INTO pairings (device_code_sha256, user_code_sha256, machine_id, lasting, facts, address, requester, state,
         looks, interval_seconds, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', 0, $8, $9)
       ON CONFLICT (machine_id) DO NOTHING`,
      [
        fresh.deviceCodeSha256,
        fresh.userCodeSha256,
        fresh.machineId,
        fresh.lasting,
        JSON.stringify(fresh.facts),
        fresh.address,
        fresh.requester,
        fresh.intervalSeconds,
        fresh.expiresAt.toISOString(),
      ],
    );
  });
}

/** What became of the code, and when the machine asked for it. */
export async function pollPairing(
  db: Database,
  which: { readonly deviceCodeSha256: string; readonly machineId: string },
  now: Date,
): Promise<PollJudgement> {
  return db.transaction(async (transaction) => {
    const [row] = await transaction.query<Row>(
      'SELECT * FROM pairings WHERE device_code_sha256 = $1 AND machine_id = $2 FOR UPDATE',
      [which.deviceCodeSha256, which.machineId],
    );
    const pairing = row === undefined ? null : toPairing(row);
    const judged = judgePoll(pairing, now);
    if (pairing !== null) {
      await transaction.query(
        'UPDATE pairings SET polled_at = $2, interval_seconds = $3 WHERE device_code_sha256 = $1',
        [
          which.deviceCodeSha256,
          now.toISOString(),
          judged.status === 'slow_down' ? judged.intervalSeconds : pairing.intervalSeconds,
        ],
      );
    }
    return judged;
  });
}

/** The machine behind the code that somebody typed, or null; each look counts. */
export async function lookAtPairing(db: Queryable, userCodeSha256: string, now: Date): Promise<Pairing | null> {
  const [row] = await db.query<Row>('UPDATE pairings SET looks = looks + 1 WHERE user_code_sha256 = $1 RETURNING *', [
    userCodeSha256,
  ]);
  const pairing = row === undefined ? null : toPairing(row);
  return pairing !== null && isOpen({ ...pairing, looks: pairing.looks - 1 }, now) ? pairing : null;
}

/** Once: the machine gets its account and the code is spent, together. Null when the code is not open any more. */
export async function decidePairing(
  db: Database,
  decision: { readonly userCodeSha256: string; readonly account: string; readonly approved: boolean },
  now: Date,
): Promise<Pairing | null> {
  return db.transaction(async (transaction) => {
    const [row] = await transaction.query<Row>('SELECT * FROM pairings WHERE user_code_sha256 = $1 FOR UPDATE', [
      decision.userCodeSha256,
    ]);
    const pairing = row === undefined ? null : toPairing(row);
    if (pairing === null || !isOpen({ ...pairing, looks: 0 }, now)) return null;
    const { account, approved } = decision;
    await transaction.query('UPDATE pairings SET state = $2, account = $3 WHERE user_code_sha256 = $1', [
      decision.userCodeSha256,
      approved ? 'approved' : 'denied',
      approved ? account : null,
    ]);
    if (approved) {
      await transaction.query(
        `INSERT INTO machine_accounts (machine_id, account, lasting, cpu_model, paired_at, seen_at)
         VALUES ($1, $2, $3, $4, $5, $5)
         ON CONFLICT (machine_id) DO UPDATE SET account = excluded.account, paired_at = excluded.paired_at,
           seen_at = excluded.seen_at, cpu_model = excluded.cpu_model`,
        [pairing.machineId, account, pairing.lasting, pairing.facts.cpuModel, now.toISOString()],
      );
    }
    return pairing;
  });
}

export interface AccountOfMachine {
  readonly account: string;
  readonly lasting: boolean;
}

/** Seen now. Machines without a TPM that are gone for long are forgotten with it. */
export async function seeAccountOf(db: Queryable, machineId: string, now: Date): Promise<AccountOfMachine | null> {
  await db.query('DELETE FROM machine_accounts WHERE NOT lasting AND seen_at <= $1', [
    new Date(now.getTime() - UNSEEN_MS).toISOString(),
  ]);
  const [row] = await db.query<{ account: string; lasting: boolean }>(
    'UPDATE machine_accounts SET seen_at = $2 WHERE machine_id = $1 RETURNING account, lasting',
    [machineId, now.toISOString()],
  );
  return row ?? null;
}

export interface OwnMachine {
  readonly machineId: string;
  readonly cpuModel: string;
  readonly lasting: boolean;
  readonly pairedAt: Date;
  /** Null for a machine without a TPM. */
  readonly attestation: string | null;
}

export async function machinesOf(db: Queryable, account: string, limit: number): Promise<readonly OwnMachine[]> {
  const rows = await db.query<{
    machine_id: string;
    cpu_model: string;
    lasting: boolean;
    paired_at: Date;
    attestation: string | null;
  }>(
    `SELECT machine_id, cpu_model, lasting, paired_at, attestation
     FROM machine_accounts LEFT JOIN machines USING (machine_id)
     WHERE account = $1 ORDER BY paired_at DESC, machine_id LIMIT $2::int4`,
    [account, limit],
  );
  return rows.map((row) => ({
    machineId: row.machine_id,
    cpuModel: row.cpu_model,
    lasting: row.lasting,
    pairedAt: row.paired_at,
    attestation: row.attestation,
  }));
}

/** The account's own machine and no other's. Its machine shows a new code when it asks the next time. */
export async function removeMachine(db: Queryable, account: string, machineId: string): Promise<boolean> {
  const rows = await db.query(
    'DELETE FROM machine_accounts WHERE machine_id = $1 AND account = $2 RETURNING machine_id',
    [machineId, account],
  );
  return rows.length === 1;
}

function toPairing(row: Row): Pairing {
  return {
    machineId: row.machine_id,
    lasting: row.lasting,
    facts: JSON.parse(row.facts) as PairingFacts, // as addPairing wrote it
    address: row.address,
    state: row.state,
    account: row.account,
    looks: row.looks,
    intervalSeconds: row.interval_seconds,
    polledAt: row.polled_at,
    expiresAt: row.expires_at,
  };
}
