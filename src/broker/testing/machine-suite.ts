/** What the rows of machines and their keys promise, on every database: each once, bounded, listed in order. */
import { beforeAll, expect, it } from 'vitest';
import type { Database } from '../db/database.ts';
import {
  findActivatedKey,
  findMachine,
  findPublicKeys,
  listMachines,
  MAX_KEYS_PER_MACHINE,
  type Machine,
  type PagePosition,
  upsertActivatedKey,
  upsertMachine,
} from '../db/machines.ts';
import { fresh, later, newMachine, start } from './store-rows.ts';

export function describeMachines(database: () => Database): void {
  let db: Database;
  beforeAll(() => {
    db = database();
  });

  it('keeps a machine and its key once, however often they come', async () => {
    const machine = newMachine(fresh(32));
    const key = { akName: fresh(34), akPublic: 'QUs=' };
    for (const now of [start, later(5), later(9)]) {
      expect(await upsertMachine(db, machine, now, 1000)).toBe(true);
      await upsertActivatedKey(db, machine.machineId, key, now);
    }
    expect(await db.query('SELECT 1 FROM activated_keys WHERE machine_id = $1', [machine.machineId])).toHaveLength(1);
    expect(await findActivatedKey(db, machine.machineId, key.akName)).toEqual({
      akName: key.akName,
      activatedAt: later(9),
    });
    expect(await findMachine(db, machine.machineId)).toMatchObject({
      attestation: 'enrolled',
      firstSeenAt: start,
      lastSeenAt: later(9),
    });
  });

  it('keeps only the newest keys of a machine', async () => {
    const machine = newMachine(fresh(32));
    await upsertMachine(db, machine, start, 1000);
    const names = Array.from({ length: MAX_KEYS_PER_MACHINE + 2 }, () => fresh(34));
    for (const [index, akName] of names.entries()) {
      await upsertActivatedKey(db, machine.machineId, { akName, akPublic: 'QUs=' }, later(index));
    }
    const kept = await Promise.all(names.map((akName) => findActivatedKey(db, machine.machineId, akName)));
    expect(kept.map((key) => key !== null)).toEqual(names.map((_, index) => index >= 2));
    const newest = { akName: names.at(-1), akPublic: 'QUs=', ekName: machine.ekName, ekPublic: 'RUs=' };
    expect(await findPublicKeys(db, machine.machineId)).toMatchObject(newest);
    expect(await findPublicKeys(db, fresh(32))).toBeNull();
  });

  it('bounds the machines it knows, but never turns away one it knows', async () => {
    const known = newMachine(fresh(32));
    await upsertMachine(db, known, start, 100_000);
    expect(await upsertMachine(db, newMachine(fresh(32)), start, 1)).toBe(false);
    expect(await upsertMachine(db, known, later(1), 1)).toBe(true);
  });

  it('lists machines by pages, the one that enrolled last first, each once, whatever comes and is seen meanwhile', async () => {
    const enrolled = [];
    // Some at the same moment: the order must not hang on the time alone.
    for (let i = 0; i < 7; i += 1) {
      const machine = newMachine(fresh(32));
      await upsertMachine(db, machine, later(99_000_000 + Math.floor(i / 2)), 100_000);
      enrolled.push(machine.machineId);
    }
    const seen: string[] = [];
    let position: PagePosition | null = null;
    do {
      const page: readonly Machine[] = await listMachines(db, 2, position);
      seen.push(...page.map(({ machineId }) => machineId));
      position = page.at(-1) ?? null;
      await upsertMachine(db, newMachine(enrolled[0] ?? ''), later(99_000_100), 100_000);
      await upsertMachine(db, newMachine(fresh(32)), later(99_000_200), 100_000);
    } while (position !== null && seen.length < 500);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.slice(0, 7).sort()).toEqual([...enrolled].sort());
    const times = await db.query<{ machine_id: string; first_seen_at: Date }>('SELECT * FROM machines');
    const firstSeen = new Map(times.map((row) => [row.machine_id, row.first_seen_at.getTime()]));
    const order = seen.map((machineId) => firstSeen.get(machineId) ?? 0);
    expect(order).toEqual([...order].sort((x, y) => y - x));
  });
}
