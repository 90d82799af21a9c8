/** What the rows of reports promise, on every database: the newest whole, bounded history, a clock that never goes back. */
import { beforeAll, expect, it } from 'vitest';
import type { QuoteClock } from '../../attest/quote/quote-clock.ts';
import type { Database } from '../db/database.ts';
import { findMachine, upsertMachine } from '../db/machines.ts';
import { addReport, MAX_REFUSED_DOCUMENT, newestReport, newestResult, REPORT_HISTORY } from '../db/reports.ts';
import { fresh, id, later, machineIn, newMachine } from './store-rows.ts';

export function describeReports(database: () => Database): void {
  let db: Database;
  beforeAll(() => {
    db = database();
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
