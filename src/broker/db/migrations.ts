/**
 * The schema, as numbered steps that only ever grow: a released step is never edited, a change is a new step. Binary is
 * kept as the text it travels in (hex for ids and digests, base64 for TPM structures); times are the broker's clock.
 */
import { StartError } from '../errors.ts';
import type { Database } from './database.ts';

interface Migration {
  readonly number: number;
  readonly statements: readonly string[];
}

export const migrations: readonly Migration[] = [
  {
    number: 1,
    statements: [
      `CREATE TABLE machines (
        machine_id text PRIMARY KEY,
        ek_name text NOT NULL UNIQUE,
        ek_public text NOT NULL,
        ek_certificates text NOT NULL,
        attestation text NOT NULL CHECK (attestation IN ('enrolled', 'accepted', 'refused')),
        reason text,
        first_seen_at timestamptz NOT NULL,
        last_seen_at timestamptz NOT NULL
      )`,
      'CREATE INDEX machines_last_seen ON machines (last_seen_at)',
      // Unique within its machine only: were it unique among all, a stranger could squat on a key he has merely seen.
      `CREATE TABLE activated_keys (
        machine_id text NOT NULL REFERENCES machines (machine_id) ON DELETE CASCADE,
        ak_name text NOT NULL,
        ak_public text NOT NULL,
        activated_at timestamptz NOT NULL,
        PRIMARY KEY (machine_id, ak_name)
      )`,
      `CREATE TABLE enrolments (
        enrolment_id text PRIMARY KEY,
        state text NOT NULL CHECK (state IN ('open', 'activated', 'failed')),
        secret_sha256 text NOT NULL,
        ek_name text NOT NULL,
        ek_public text NOT NULL,
        ek_certificates text NOT NULL,
        ak_name text NOT NULL,
        ak_public text NOT NULL,
        expires_at timestamptz NOT NULL
      )`,
      'CREATE INDEX enrolments_expiry ON enrolments (expires_at)',
      `CREATE TABLE challenges (
        challenge_id text PRIMARY KEY,
        machine_id text NOT NULL REFERENCES machines (machine_id) ON DELETE CASCADE,
        challenge text NOT NULL UNIQUE,
        state text NOT NULL CHECK (state IN ('open', 'used', 'voided')),
        issued_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL
      )`,
      `CREATE UNIQUE INDEX challenges_one_open ON challenges (machine_id) WHERE state = 'open'`,
      'CREATE INDEX challenges_age ON challenges (machine_id, issued_at)',
      `CREATE TABLE reports (
        report_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        machine_id text NOT NULL REFERENCES machines (machine_id) ON DELETE CASCADE,
        challenge text NOT NULL UNIQUE,
        received_at timestamptz NOT NULL,
        status text NOT NULL CHECK (status IN ('accepted', 'refused')),
        reason text,
        document text
      )`,
      'CREATE INDEX reports_newest ON reports (machine_id, report_id)',
    ],
  },
  // The signed result (EAR, a JWT) beside the report it is about; null for reports of before.
  { number: 2, statements: ['ALTER TABLE reports ADD COLUMN result text'] },
  {
    number: 3,
    statements: [
      // Null for machines that enrolled before: they are asked to enrol again.
      'ALTER TABLE machines ADD COLUMN session_public_key text',
      'CREATE INDEX machines_first_seen ON machines (first_seen_at DESC, machine_id DESC)',
      `CREATE INDEX reports_refused_kept ON reports (report_id DESC) WHERE status = 'refused' AND document IS NOT NULL`,
      `CREATE TABLE verifications (
        verification_id text PRIMARY KEY,
        machine_id text NOT NULL REFERENCES machines (machine_id) ON DELETE CASCADE,
        requester text NOT NULL,
        challenge text NOT NULL UNIQUE,
        credential_blob text,
        encrypted_secret text,
        state text NOT NULL CHECK (state IN ('waiting', 'answered', 'failed')),
        asked_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        answered_at timestamptz,
        evidence text,
        answer text,
        failure text
      )`,
      'CREATE INDEX verifications_of_machine ON verifications (machine_id, state, asked_at)',
      'CREATE INDEX verifications_of_requester ON verifications (requester)',
      'CREATE INDEX verifications_expiry ON verifications (expires_at)',
    ],
  },
  // JSON: the TPM's counters in the last accepted quote; null until there is one. Enrolling again does not forget them.
  { number: 4, statements: ['ALTER TABLE machines ADD COLUMN last_clock text'] },
  {
    number: 5,
    statements: [
      // Codes lie here by their SHA-256 alone: who reads the table cannot type one, and a look-up tells nothing by its time.
      `CREATE TABLE pairings (
        device_code_sha256 text PRIMARY KEY,
        user_code_sha256 text NOT NULL UNIQUE,
        machine_id text NOT NULL UNIQUE,
        lasting bool NOT NULL,
        facts text NOT NULL,
        address text NOT NULL,
        requester text NOT NULL,
        state text NOT NULL CHECK (state IN ('waiting', 'approved', 'denied')),
        account text,
        looks int4 NOT NULL,
        interval_seconds int4 NOT NULL,
        polled_at timestamptz,
        expires_at timestamptz NOT NULL
      )`,
      'CREATE INDEX pairings_expiry ON pairings (expires_at)',
      'CREATE INDEX pairings_of_requester ON pairings (requester)',
      // Not a column of machines: one without a TPM has an account, too, for as long as its session key is seen.
      `CREATE TABLE machine_accounts (
        machine_id text PRIMARY KEY,
        account text NOT NULL,
        lasting bool NOT NULL,
        cpu_model text NOT NULL,
        paired_at timestamptz NOT NULL,
        seen_at timestamptz NOT NULL
      )`,
      'CREATE INDEX machine_accounts_of ON machine_accounts (account)',
    ],
  },
];

/** Any constant of ours: it names this lock among all advisory locks of the database. */
const ADVISORY_LOCK = 4_200_701;

/** Brings the schema up to date, each step whole or not at all, once, even when two brokers start together. */
export async function migrate(database: Database): Promise<void> {
  await database.transaction(async (transaction) => {
    // CREATE TABLE IF NOT EXISTS is itself not safe against a twin doing the same.
    await transaction.query('SELECT pg_advisory_xact_lock($1)::text', [ADVISORY_LOCK]);
    await transaction.query(
      'CREATE TABLE IF NOT EXISTS schema_migrations (number int4 PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())',
    );
    const rows = await transaction.query<{ number: number }>('SELECT number FROM schema_migrations');
    const applied = new Set(rows.map((row) => row.number));
    const newest = Math.max(0, ...applied);
    if (newest > migrations.length) throw tooNew(newest);
    for (const migration of migrations) {
      if (applied.has(migration.number)) continue;
      for (const statement of migration.statements) await transaction.query(statement);
      await transaction.query('INSERT INTO schema_migrations (number) VALUES ($1)', [migration.number]);
    }
  });
}

function tooNew(number: number): StartError {
  return new StartError(
    'DATABASE_TOO_NEW',
    `the database has schema step ${number}; this broker knows ${migrations.length}`,
    { nextStep: 'start the newer broker that made it, or give this one another --data folder or --database' },
  );
}
