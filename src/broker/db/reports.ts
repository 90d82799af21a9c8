/**
 * Reports as rows: the newest of each machine with its whole document, older ones as one line of history. Documents of
 * refused machines are bounded in size and number: to be refused costs nothing, so it may not fill the disk.
 */
import type { QuoteClock } from '../../attest/quote/quote-clock.ts';
import type { Database, Queryable } from './database.ts';
import { keepClock, lockMachine } from './machines.ts';

/** Lines of history kept per machine; the whole document (up to megabytes) only of the newest. */
export const REPORT_HISTORY = 20;
/** Of a refused report, in characters; real ones have some ten thousand. */
export const MAX_REFUSED_DOCUMENT = 1024 * 1024;
/** Over all machines, the newest. */
export const REFUSED_DOCUMENTS_KEPT = 1000;

export interface NewReport {
  readonly machineId: string;
  /** hex */
  readonly challenge: string;
  readonly receivedAt: Date;
  readonly status: 'accepted' | 'refused';
  /** The first failed check's code, or null. */
  readonly reason: string | null;
  /** JSON text, served as it is. */
  readonly document: string;
  /** The signed result, a JWT. */
  readonly result: string;
  /** The counters of its quote where it was accepted, and those it was judged against. */
  readonly clock?: { readonly now: QuoteClock; readonly judgedAfter: QuoteClock | null };
}

/** Stores the report and what it says of its machine, together. */
export async function addReport(db: Database, report: NewReport, refusedKept = REFUSED_DOCUMENTS_KEPT): Promise<void> {
  const { machineId, challenge, receivedAt, status, reason, result } = report;
  const tooLarge = status === 'refused' && report.document.length > MAX_REFUSED_DOCUMENT;
  const document = tooLarge ? null : report.document;
  await db.transaction(async (transaction) => {
    const machine = await lockMachine(transaction, machineId);
    await transaction.query(
      'UPDATE reports SET document = NULL, result = NULL WHERE machine_id = $1 AND document IS NOT NULL',
      [machineId],
    );
    await transaction.query(
      `INSERT INTO reports (machine_id, challenge, received_at, status, reason, document, result)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [machineId, challenge, receivedAt.toISOString(), status, reason, document, result],
    );
    await transaction.query(
      `DELETE FROM reports WHERE machine_id = $1 AND report_id NOT IN (
         SELECT report_id FROM reports WHERE machine_id = $1 ORDER BY report_id DESC LIMIT $2::int4
       )`,
      [machineId, REPORT_HISTORY],
    );
    if (status === 'refused') await dropOldRefusals(transaction, refusedKept);
    await transaction.query(
      'UPDATE machines SET attestation = $2, reason = $3, last_seen_at = $4 WHERE machine_id = $1',
      [machineId, status, reason, receivedAt.toISOString()],
    );
    if (machine === null || report.clock === undefined || status === 'refused') return;
    await keepClock(transaction, machine, report.clock.now, report.clock.judgedAfter);
  });
}

async function dropOldRefusals(db: Queryable, kept: number): Promise<void> {
  await db.query(
    // Rows locked by another report's transaction are left to the next one: the two must not wait for each other.
    `UPDATE reports SET document = NULL WHERE report_id IN (
       SELECT report_id FROM reports WHERE report_id IN (
         SELECT report_id FROM reports WHERE status = 'refused' AND document IS NOT NULL
         ORDER BY report_id DESC OFFSET $1::int4
       ) FOR UPDATE SKIP LOCKED
     )`,
    [kept],
  );
}

/** The newest report's JSON text; 'none' when there was no report yet, 'dropped' when its document was not kept. */
export async function newestReport(
  db: Queryable,
  machineId: string,
): Promise<{ readonly document: string } | 'none' | 'dropped'> {
  const [row] = await db.query<{ document: string | null }>(
    'SELECT document FROM reports WHERE machine_id = $1 ORDER BY report_id DESC LIMIT 1',
    [machineId],
  );
  if (row === undefined) return 'none';
  return row.document === null ? 'dropped' : { document: row.document };
}

/** The signed result of the newest report, or null. */
export async function newestResult(db: Queryable, machineId: string): Promise<string | null> {
  const [row] = await db.query<{ result: string }>(
    'SELECT result FROM reports WHERE machine_id = $1 AND result IS NOT NULL ORDER BY report_id DESC LIMIT 1',
    [machineId],
  );
  return row?.result ?? null;
}
