/** Enrolments as rows. Each function takes the connection or transaction it runs in. */
import type { Enrolment, EnrolmentState } from '../enrolment.ts';
import type { Queryable } from './database.ts';

interface Row {
  enrolment_id: string;
  state: EnrolmentState;
  secret_sha256: string;
  ek_name: string;
  ek_public: string;
  ek_certificates: string;
  ak_name: string;
  ak_public: string;
  expires_at: Date;
}

/** Forgets what has expired, then adds this one unless `limit` are outstanding. False when there was no room. */
export async function addEnrolment(db: Queryable, enrolment: Enrolment, now: Date, limit: number): Promise<boolean> {
  await db.query('DELETE FROM enrolments WHERE expires_at <= $1', [now.toISOString()]);
  const added = await db.query(
    `INSERT INTO enrolments
       (enrolment_id, state, secret_sha256, ek_name, ek_public, ek_certificates, ak_name, ak_public, expires_at)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9::timestamptz
     WHERE (SELECT count(*) FROM enrolments) < $10::int4
     RETURNING enrolment_id`,
    [
      enrolment.enrolmentId,
      enrolment.state,
      enrolment.secretSha256,
      enrolment.ekName,
      enrolment.ekPublic,
      JSON.stringify(enrolment.ekCertificates),
      enrolment.akName,
      enrolment.akPublic,
      enrolment.expiresAt.toISOString(),
      limit,
    ],
  );
  return added.length === 1;
}

/** Locks the row until the transaction ends: of two activations at once, the second sees what the first did. */
export async function lockEnrolment(db: Queryable, enrolmentId: string): Promise<Enrolment | null> {
  const [row] = await db.query<Row>('SELECT * FROM enrolments WHERE enrolment_id = $1 FOR UPDATE', [enrolmentId]);
  if (row === undefined) return null;
  return {
    enrolmentId: row.enrolment_id,
    state: row.state,
    secretSha256: row.secret_sha256,
    ekName: row.ek_name,
    ekPublic: row.ek_public,
    ekCertificates: JSON.parse(row.ek_certificates) as string[],
    akName: row.ak_name,
    akPublic: row.ak_public,
    expiresAt: row.expires_at,
  };
}

export async function setEnrolmentState(db: Queryable, enrolmentId: string, state: EnrolmentState): Promise<void> {
  await db.query('UPDATE enrolments SET state = $2 WHERE enrolment_id = $1', [enrolmentId, state]);
}
