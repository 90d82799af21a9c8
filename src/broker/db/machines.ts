/** Machines and the attestation keys activated for them, as rows. */
import { isLater, type QuoteClock, sameClock } from '../../attest/quote/quote-clock.ts';
import type { Queryable } from './database.ts';

/** Keys kept per machine: an owner can make new AKs for ever, the broker remembers the newest. */
export const MAX_KEYS_PER_MACHINE = 8;

export interface Machine {
  readonly machineId: string;
  readonly ekName: string;
  readonly attestation: 'enrolled' | 'accepted' | 'refused';
  readonly reason: string | null;
  readonly firstSeenAt: Date;
  readonly lastSeenAt: Date;
  /** SubjectPublicKeyInfo of the key that speaks for the machine, base64; null until it enrols with one. */
  readonly sessionPublicKey: string | null;
  /** The TPM's counters in its last accepted quote; null until there was one. */
  readonly lastClock: QuoteClock | null;
}

export interface ActivatedKey {
  readonly akName: string;
  readonly activatedAt: Date;
}

interface MachineRow {
  machine_id: string;
  ek_name: string;
  attestation: Machine['attestation'];
  reason: string | null;
  first_seen_at: Date;
  last_seen_at: Date;
  session_public_key: string | null;
  last_clock: string | null;
}

const COLUMNS = 'machine_id, ek_name, attestation, reason, first_seen_at, last_seen_at, session_public_key, last_clock';

export interface NewMachine {
  readonly machineId: string;
  readonly ekName: string;
  readonly ekPublic: string;
  readonly ekCertificates: readonly string[];
  readonly sessionPublicKey: string;
}

/** The machine once. A verdict on an earlier boot says nothing of this one: it is `enrolled` again. False when it is new and `limit` machines are known already. */
export async function upsertMachine(db: Queryable, machine: NewMachine, now: Date, limit: number): Promise<boolean> {
  const rows = await db.query(
    `INSERT INTO machines
       (machine_id, ek_name, ek_public, ek_certificates, attestation, first_seen_at, last_seen_at, session_public_key)
     SELECT $1, $2, $3, $4, 'enrolled', $5::timestamptz, $5::timestamptz, $7
     WHERE (SELECT count(*) FROM machines) < $6::int4 OR EXISTS (SELECT 1 FROM machines WHERE machine_id = $1)
     ON CONFLICT (machine_id) DO UPDATE
       SET ek_certificates = excluded.ek_certificates, last_seen_at = excluded.last_seen_at,
           attestation = 'enrolled', reason = NULL, session_public_key = excluded.session_public_key
     RETURNING machine_id`,
    [
      machine.machineId,
      machine.ekName,
      machine.ekPublic,
      JSON.stringify(machine.ekCertificates),
      now.toISOString(),
      limit,
      machine.sessionPublicKey,
    ],
  );
  return rows.length === 1;
}

/** The key once; its activation time is that of the newest proof. */
export async function upsertActivatedKey(
  db: Queryable,
  machineId: string,
  key: { readonly akName: string; readonly akPublic: string },
  now: Date,
): Promise<void> {
  await db.query(
    `INSERT INTO activated_keys (machine_id, ak_name, ak_public, activated_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (machine_id, ak_name) DO UPDATE SET activated_at = excluded.activated_at`,
    [machineId, key.akName, key.akPublic, now.toISOString()],
  );
  await db.query(
    `DELETE FROM activated_keys WHERE machine_id = $1 AND ak_name NOT IN (
       SELECT ak_name FROM activated_keys WHERE machine_id = $1 ORDER BY activated_at DESC, ak_name LIMIT $2::int4
     )`,
    [machineId, MAX_KEYS_PER_MACHINE],
  );
}

export async function findActivatedKey(db: Queryable, machineId: string, akName: string): Promise<ActivatedKey | null> {
  const [row] = await db.query<{ ak_name: string; activated_at: Date }>(
    'SELECT ak_name, activated_at FROM activated_keys WHERE machine_id = $1 AND ak_name = $2',
    [machineId, akName],
  );
  return row === undefined ? null : { akName: row.ak_name, activatedAt: row.activated_at };
}

export async function findMachine(db: Queryable, machineId: string): Promise<Machine | null> {
  const [row] = await db.query<MachineRow>(`SELECT ${COLUMNS} FROM machines WHERE machine_id = $1`, [machineId]);
  return row === undefined ? null : toMachine(row);
}

/** As `findMachine`, holding the machine's row until the transaction ends: one change of a machine at a time. */
export async function lockMachine(db: Queryable, machineId: string): Promise<Machine | null> {
  const [row] = await db.query<MachineRow>(`SELECT ${COLUMNS} FROM machines WHERE machine_id = $1 FOR UPDATE`, [
    machineId,
  ]);
  return row === undefined ? null : toMachine(row);
}

/**
 * Keeps the clock of an accepted quote. `judgedAfter` is the one it was judged against: where that is still the last, the
 * policy has spoken and the new one takes its place, even a lower one; where another broker was quicker, only a later one does.
 */
export async function keepClock(
  transaction: Queryable,
  { machineId, lastClock }: Pick<Machine, 'machineId' | 'lastClock'>,
  clock: QuoteClock,
  judgedAfter: QuoteClock | null,
): Promise<void> {
  const unchanged = lastClock === null || (judgedAfter !== null && sameClock(lastClock, judgedAfter));
  if (!unchanged && !isLater(clock, lastClock)) return;
  await transaction.query('UPDATE machines SET last_clock = $2 WHERE machine_id = $1', [
    machineId,
    JSON.stringify(clock),
  ]);
}

export interface PublicKeys {
  readonly ekName: string;
  readonly ekPublic: string;
  /** Of the AK that was activated last. */
  readonly akName: string;
  readonly akPublic: string;
  readonly activatedAt: Date;
}

export async function findPublicKeys(db: Queryable, machineId: string): Promise<PublicKeys | null> {
  const [row] = await db.query<{
    ek_name: string;
    ek_public: string;
    ak_name: string;
    ak_public: string;
    activated_at: Date;
  }>(
    `SELECT ek_name, ek_public, ak_name, ak_public, activated_at
     FROM machines JOIN activated_keys USING (machine_id)
     WHERE machine_id = $1 ORDER BY activated_at DESC, ak_name LIMIT 1`,
    [machineId],
  );
  if (row === undefined) return null;
  return {
    ekName: row.ek_name,
    ekPublic: row.ek_public,
    akName: row.ak_name,
    akPublic: row.ak_public,
    activatedAt: row.activated_at,
  };
}

/** Where a page ended. First sight never changes, so no machine is passed over or shown twice while pages are turned. */
export interface PagePosition {
  readonly firstSeenAt: Date;
  readonly machineId: string;
}

/** Those that enrolled last come first; with `after`, those behind it. */
export async function listMachines(
  db: Queryable,
  limit: number,
  after: PagePosition | null = null,
): Promise<readonly Machine[]> {
  const order = 'ORDER BY first_seen_at DESC, machine_id DESC LIMIT $1::int4';
  const rows =
    after === null
      ? await db.query<MachineRow>(`SELECT ${COLUMNS} FROM machines ${order}`, [limit])
      : await db.query<MachineRow>(
          `SELECT ${COLUMNS} FROM machines WHERE (first_seen_at, machine_id) < ($2::timestamptz, $3) ${order}`,
          [limit, after.firstSeenAt.toISOString(), after.machineId],
        );
  return rows.map(toMachine);
}

function toMachine(row: MachineRow): Machine {
  return {
    machineId: row.machine_id,
    ekName: row.ek_name,
    attestation: row.attestation,
    reason: row.reason,
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
    sessionPublicKey: row.session_public_key,
    lastClock: row.last_clock === null ? null : (JSON.parse(row.last_clock) as QuoteClock), // as keepClock wrote it
  };
}
