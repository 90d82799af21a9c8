/** One suite for every database: what the broker's rows promise, run on PGlite and on a PostgreSQL server alike. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { QuoteClock } from '../../attest/quote/quote-clock.ts';
import { CHALLENGE_LIFETIME_MS, type IssuedChallenge, REMEMBERED_CHALLENGES } from '../challenge.ts';
import { issueChallenge, takeChallenge } from '../db/challenges.ts';
import type { Database } from '../db/database.ts';
import { addEnrolment, lockEnrolment, setEnrolmentState } from '../db/enrolments.ts';
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
import { migrate, migrations } from '../db/migrations.ts';
import { addReport, MAX_REFUSED_DOCUMENT, newestReport, newestResult, REPORT_HISTORY } from '../db/reports.ts';
import type { Enrolment } from '../enrolment.ts';
import { describePairings } from './pairing-suite.ts';
import { describeVerifications } from './verification-suite.ts';

const start = new Date('2026-03-01T00:00:00.123Z');
const later = (ms: number) => new Date(start.getTime() + ms);
const id = (length: number, number: number) => number.toString(16).padStart(2 * length, '0');
let serial = 0;
const fresh = (length: number) => id(length, ++serial);

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

  it('takes a challenge once, also when two ask at once', async () => {
    const machineId = await machineIn(db);
    const issued = challengeFor(machineId, start);
    await issueChallenge(db, issued, start);
    const attempts = Array.from({ length: 8 }, () => takeChallenge(db, issued.challengeId, machineId, later(1)));
    const results = await Promise.allSettled(attempts);
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'CHALLENGE_USED' });
    }
  });

  it('gives no challenge to a machine that never enrolled', async () => {
    const issued = challengeFor(fresh(32), start);
    await expect(issueChallenge(db, issued, start)).rejects.toMatchObject({ code: 'MACHINE_UNKNOWN' });
  });

  it('remembers a bounded number of challenges', async () => {
    const machineId = await machineIn(db);
    for (let i = 0; i < REMEMBERED_CHALLENGES + 5; i += 1) {
      await issueChallenge(db, challengeFor(machineId, later(i)), later(i));
    }
    const rows = await db.query('SELECT 1 FROM challenges WHERE machine_id = $1', [machineId]);
    expect(rows).toHaveLength(REMEMBERED_CHALLENGES);
  });

  it('under any sequence accepts only the newest challenge, of its machine, in time, once', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('issue' as const), machine: fc.nat(1) }),
      fc.record({ kind: fc.constant('take' as const), machine: fc.nat(1), which: fc.nat(5) }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 60_000, CHALLENGE_LIFETIME_MS) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
        const machines = [await machineIn(db), await machineIn(db)] as const;
        const issued: IssuedChallenge[] = [];
        /** The model: per machine the one challenge that may be taken. */
        const open = new Map<string, IssuedChallenge>();
        let now = start;
        for (const event of steps) {
          if (event.kind === 'wait') {
            now = new Date(now.getTime() + event.ms);
            continue;
          }
          const machineId = event.machine === 0 ? machines[0] : machines[1];
          if (event.kind === 'issue') {
            const challenge = challengeFor(machineId, now);
            await issueChallenge(db, challenge, now);
            issued.push(challenge);
            open.set(machineId, challenge);
            continue;
          }
          const chosen = issued[event.which % Math.max(1, issued.length)];
          if (chosen === undefined) continue;
          const allowed = open.get(machineId) === chosen && now < chosen.expiresAt;
          const taken = await takeChallenge(db, chosen.challengeId, machineId, now).then(
            () => true,
            () => false,
          );
          expect(taken).toBe(allowed);
          if (taken) open.delete(machineId);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('serves the newest report, keeps bounded history, and marks the machine', async () => {
    const machineId = await machineIn(db);
    expect(await newestReport(db, machineId)).toBe('none');
    for (let i = 0; i < REPORT_HISTORY + 3; i += 1) await addReport(db, reportOf(machineId, i));
    const last = REPORT_HISTORY + 2;
    expect(await newestReport(db, machineId)).toEqual({ document: reportOf(machineId, last).document });
    const rows = await db.query<{ document: string | null }>('SELECT document FROM reports WHERE machine_id = $1', [
      machineId,
    ]);
    expect(rows).toHaveLength(REPORT_HISTORY);
    expect(rows.filter((row) => row.document !== null)).toHaveLength(1);
    expect(await newestResult(db, machineId)).toBe(`header.${last}.signature`);
    expect(await findMachine(db, machineId)).toMatchObject({
      attestation: 'refused',
      reason: 'INITRD_DIFFERS',
      lastSeenAt: later(last),
    });
  });

  it('keeps no refused document that is too large, and only the newest of the others', async () => {
    const machines = await Promise.all([1, 2, 3].map(() => machineIn(db)));
    const refusedOf = (machineId: string, number: number) => ({ ...reportOf(machineId, number), challenge: fresh(32) });
    const [first = '', second = '', third = ''] = machines;
    for (const [index, machineId] of machines.entries()) await addReport(db, refusedOf(machineId, index), 2);
    expect(await newestReport(db, first)).toBe('dropped');
    expect(await newestReport(db, second)).toEqual({ document: reportOf(second, 1).document });
    await addReport(db, { ...refusedOf(third, 3), document: 'x'.repeat(MAX_REFUSED_DOCUMENT + 1) }, 2);
    expect(await newestReport(db, third)).toBe('dropped');
    const large = { ...refusedOf(third, 4), status: 'accepted' as const, reason: null };
    await addReport(db, { ...large, document: 'x'.repeat(MAX_REFUSED_DOCUMENT + 1) }, 2);
    expect(await newestReport(db, third)).toMatchObject({ document: expect.any(String) });
    expect(await newestReport(db, second)).toMatchObject({ document: expect.any(String) });
  });

  it('keeps the clock of the last accepted quote: through an enrolment, past a refusal, and never an older one by a race', async () => {
    const machineId = await machineIn(db);
    const clockAt = (resetCount: number, clockMs: string): QuoteClock => ({
      clockMs,
      resetCount,
      restartCount: 0,
      safe: true,
      firmwareVersion: '00010002ffffffff',
      obfuscated: false,
    });
    const accepted = (now: QuoteClock, judgedAfter: QuoteClock | null) =>
      addReport(db, {
        ...reportOf(machineId, 0),
        challenge: fresh(32),
        status: 'accepted',
        clock: { now, judgedAfter },
      });
    const last = async () => (await findMachine(db, machineId))?.lastClock;
    expect(await last()).toBeNull();
    const first = clockAt(3, '18446744073709551614');
    await accepted(first, null);
    await upsertMachine(db, newMachine(machineId), later(1), 100_000);
    expect(await last()).toEqual(first);
    const refused = {
      ...reportOf(machineId, 1),
      challenge: fresh(32),
      clock: { now: clockAt(9, '1'), judgedAfter: first },
    };
    await addReport(db, refused);
    expect(await last()).toEqual(first);

    // Two brokers judged against the same clock; whichever stores last, the later quote stays.
    const [older, newer] = [clockAt(4, '7'), clockAt(4, '8')];
    await Promise.all([accepted(newer, first), accepted(older, first)]);
    expect(await last()).toEqual(newer);
    await Promise.all([accepted(clockAt(5, '1'), newer), accepted(clockAt(6, '0'), newer), accepted(older, first)]);
    expect(await last()).toEqual(clockAt(6, '0'));

    // A cleared TPM that the policy let pass against the very clock that is kept.
    await accepted(clockAt(0, '5'), clockAt(6, '0'));
    expect(await last()).toEqual(clockAt(0, '5'));
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

  describeVerifications(() => db, machineIn);
  describePairings(() => db);
}

function newMachine(machineId: string) {
  return {
    machineId,
    ekName: `000b${machineId}`,
    ekPublic: 'RUs=',
    ekCertificates: ['QUJD'],
    sessionPublicKey: 'U0s=',
  };
}

async function machineIn(db: Database): Promise<string> {
  const machine = newMachine(fresh(32));
  await upsertMachine(db, machine, start, 100_000);
  return machine.machineId;
}

function newEnrolment(now: Date): Enrolment {
  return {
    enrolmentId: fresh(16),
    state: 'open',
    secretSha256: fresh(32),
    ekName: fresh(34),
    ekPublic: 'RUs=',
    ekCertificates: ['QUJD', 'REVG'],
    akName: fresh(34),
    akPublic: 'QUs=',
    expiresAt: new Date(now.getTime() + 120_000),
  };
}

function challengeFor(machineId: string, now: Date): IssuedChallenge {
  const expiresAt = new Date(now.getTime() + CHALLENGE_LIFETIME_MS);
  return { challengeId: fresh(16), machineId, challenge: fresh(32), state: 'open', expiresAt };
}

function reportOf(machineId: string, number: number) {
  return {
    machineId,
    challenge: `${machineId.slice(0, 60)}${id(2, number)}`,
    receivedAt: later(number),
    status: 'refused' as const,
    reason: 'INITRD_DIFFERS',
    result: `header.${number}.signature`,
    document: `{"report":${number},"text":"\\u00e9 ' \\" $1"}`,
  };
}
