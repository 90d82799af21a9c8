import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeStore } from '../testing/store-suite.ts';
import { findMachine, findPublicKeys, listMachines } from './machines.ts';
import { migrate, migrations } from './migrations.ts';
import { openPglite } from './pglite.ts';
import { newestReport } from './reports.ts';
import { nextVerification } from './verifications.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-pglite-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the store on PGlite', () => {
  describeStore(() => openPglite(join(folder, 'suite')));
});

describe('a PGlite folder', () => {
  it('is made whole or not at all, and keeps its rows', async () => {
    const first = await openPglite(join(folder, 'kept'));
    await first.query('CREATE TABLE kept (number int4)');
    await first.query('INSERT INTO kept VALUES ($1)', [7]);
    await first.close();
    const second = await openPglite(join(folder, 'kept'));
    expect(await second.query('SELECT number FROM kept')).toEqual([{ number: 7 }]);
    await second.close();
    expect((await readdir(folder)).filter((name) => name.endsWith('.new'))).toEqual([]);
  });
});

describe('a database of the first release', () => {
  it('keeps its machines, keys and reports; their sessions must enrol again', async () => {
    const db = await openPglite(join(folder, 'first-release'));
    const [first] = migrations;
    for (const statement of first?.statements ?? []) await db.query(statement);
    await db.query('CREATE TABLE schema_migrations (number int4 PRIMARY KEY, applied_at timestamptz DEFAULT now())');
    await db.query('INSERT INTO schema_migrations (number) VALUES (1)');
    const id = 'ab'.repeat(32);
    const at = '2026-03-01T00:00:00.123Z';
    await db.query(`INSERT INTO machines VALUES ($1, '000bab', 'RUs=', '[]', 'accepted', NULL, $2, $2)`, [id, at]);
    await db.query(`INSERT INTO activated_keys VALUES ($1, '000bcd', 'QUs=', $2)`, [id, at]);
    await db.query(
      `INSERT INTO reports (machine_id, challenge, received_at, status, document) VALUES ($1, $1, $2, 'accepted', '{}')`,
      [id, at],
    );
    await migrate(db);
    expect(await findMachine(db, id)).toMatchObject({ attestation: 'accepted', sessionPublicKey: null });
    expect(await findPublicKeys(db, id)).toMatchObject({ ekPublic: 'RUs=', akPublic: 'QUs=' });
    expect(await newestReport(db, id)).toEqual({ document: '{}' });
    expect(await listMachines(db, 10)).toHaveLength(1);
    expect(await nextVerification(db, id, new Date(at))).toBeNull();
    await db.close();
  });
});
