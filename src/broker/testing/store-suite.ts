/** One suite for every database: what the broker's rows promise, run on PGlite and on a PostgreSQL server alike. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../db/database.ts';
import { addEnrolment, lockEnrolment, setEnrolmentState } from '../db/enrolments.ts';
import { findMachine, upsertMachine } from '../db/machines.ts';
import { migrate, migrations } from '../db/migrations.ts';
import { describeChallenges } from './challenge-suite.ts';
import { describeMachines } from './machine-suite.ts';
import { describePairings } from './pairing-suite.ts';
import { describeReports } from './report-suite.ts';
import { fresh, id, later, machineIn, newEnrolment, newMachine, start } from './store-rows.ts';
import { describeVerifications } from './verification-suite.ts';

export function describeStore(open: () => Promise<Database>): void {
  let db: Database;
  beforeAll(async () => {
    db = await open();
    await migrate(db);
  });
  afterAll(() => db?.close());

  it('migrates once, also when two brokers start together', async () => {
    await Promise.all([migrate(db), migrate(db), migrate(db)]);
    const rows = await db.query('SELECT number FROM schema_migrations');
    expect(rows).toHaveLength(migrations.length);
  });

  it('refuses a schema that is newer than it knows', async () => {
    await db.query('INSERT INTO schema_migrations (number) VALUES (99)');
    await expect(migrate(db)).rejects.toMatchObject({ code: 'DATABASE_TOO_NEW' });
    await db.query('DELETE FROM schema_migrations WHERE number = 99');
  });

  it('rolls a failed transaction back whole', async () => {
    const machineId = fresh(32);
    const attempt = db.transaction(async (transaction) => {
      await upsertMachine(transaction, newMachine(machineId), start, 1000);
      throw new Error('stopped half way');
    });
    await expect(attempt).rejects.toThrow('stopped half way');
    expect(await findMachine(db, machineId)).toBeNull();
  });

  it('keeps an enrolment as it was given, times included, and its state', async () => {
    const enrolment = newEnrolment(start);
    expect(await addEnrolment(db, enrolment, start, 1000)).toBe(true);
    await setEnrolmentState(db, enrolment.enrolmentId, 'activated');
    const found = await db.transaction((transaction) => lockEnrolment(transaction, enrolment.enrolmentId));
    expect(found).toEqual({ ...enrolment, state: 'activated' });
    expect(await db.transaction((transaction) => lockEnrolment(transaction, id(16, 0xffffff)))).toBeNull();
  });

  it('bounds outstanding enrolments, and forgets them when they expire', async () => {
    await db.query('DELETE FROM enrolments');
    for (let i = 0; i < 3; i += 1) expect(await addEnrolment(db, newEnrolment(start), start, 3)).toBe(true);
    expect(await addEnrolment(db, newEnrolment(start), start, 3)).toBe(false);
    const after = later(120_000);
    expect(await addEnrolment(db, newEnrolment(after), after, 3)).toBe(true);
    expect(await db.query('SELECT 1 FROM enrolments')).toHaveLength(1);
  });

  describeMachines(() => db);
  describeChallenges(() => db);
  describeReports(() => db);
  describeVerifications(() => db, machineIn);
  describePairings(() => db);
}
