/** Challenges as rows: issued, and taken at most once. */
import { type IssuedChallenge, REMEMBERED_CHALLENGES, refusalOf } from '../challenge.ts';
import { machineUnknown } from '../errors.ts';
import type { Database } from './database.ts';
import { lockMachine } from './machines.ts';

interface Row {
  challenge_id: string;
  machine_id: string;
  challenge: string;
  state: IssuedChallenge['state'];
  expires_at: Date;
}

/** Stores the challenge as the machine's only open one. @throws RequestError MACHINE_UNKNOWN */
export async function issueChallenge(db: Database, fresh: IssuedChallenge, now: Date): Promise<void> {
  const { challengeId, machineId, challenge, state, expiresAt } = fresh;
  await db.transaction(async (transaction) => {
    if ((await lockMachine(transaction, machineId)) === null) throw machineUnknown();
    await transaction.query(`UPDATE challenges SET state = 'voided' WHERE machine_id = $1 AND state = 'open'`, [
      machineId,
    ]);
    await transaction.query(
      `DELETE FROM challenges WHERE machine_id = $1 AND challenge_id NOT IN (
         SELECT challenge_id FROM challenges WHERE machine_id = $1 ORDER BY issued_at DESC, challenge_id LIMIT $2::int4
       )`,
      [machineId, REMEMBERED_CHALLENGES - 1],
    );
    await transaction.query(
      `INSERT INTO challenges (challenge_id, machine_id, challenge, state, issued_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [challengeId, machineId, challenge, state, now.toISOString(), expiresAt.toISOString()],
    );
  });
}

/**
 * Takes the challenge: committed before anyone looks at the evidence, so the same challenge is never judged twice, not
 * even by two requests at once or across a crash. @throws RequestError CHALLENGE_*
 */
export async function takeChallenge(
  db: Database,
  challengeId: string,
  machineId: string,
  now: Date,
): Promise<IssuedChallenge> {
  return db.transaction(async (transaction) => {
    const [row] = await transaction.query<Row>('SELECT * FROM challenges WHERE challenge_id = $1 FOR UPDATE', [
      challengeId,
    ]);
    const issued = row === undefined ? null : toIssued(row);
    const refusal = refusalOf(issued, machineId, now);
    if (refusal !== null || issued === null) throw refusal ?? machineUnknown();
    await transaction.query(`UPDATE challenges SET state = 'used' WHERE challenge_id = $1`, [challengeId]);
    return issued;
  });
}

function toIssued(row: Row): IssuedChallenge {
  return {
    challengeId: row.challenge_id,
    machineId: row.machine_id,
    challenge: row.challenge,
    state: row.state,
    expiresAt: row.expires_at,
  };
}
