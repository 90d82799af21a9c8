/** What the rows of verifiers' challenges promise, on every database: order, bounds, once, in time. */
import fc from 'fast-check';
import { beforeEach, expect, it } from 'vitest';
import type { Database } from '../db/database.ts';
import {
  addVerification,
  answerVerification,
  findVerification,
  nextVerification,
  sweepVerifications,
} from '../db/verifications.ts';
import { ANSWER_WITHIN_MS, COLLECT_WITHIN_MS, type OpenVerification, REMEMBERED_MS } from '../verification.ts';

const start = new Date('2026-04-01T00:00:00.123Z');
const later = (ms: number) => new Date(start.getTime() + ms);
const limits = { total: 5, perMachine: 3, perRequester: 4, credentials: 1 };
let serial = 0;
const fresh = (bytes: number) => (++serial).toString(16).padStart(2 * bytes, '0');

export function describeVerifications(database: () => Database, machineIn: (db: Database) => Promise<string>): void {
  let db: Database;
  let machineId: string;
  beforeEach(async () => {
    db = database();
    await db.query('DELETE FROM verifications');
    machineId = await machineIn(db);
  });
  const open = (change: Partial<OpenVerification> = {}, now = start): OpenVerification => ({
    verificationId: fresh(16),
    machineId,
    requester: fresh(4),
    challenge: fresh(32),
    credential: null,
    expiresAt: new Date(now.getTime() + ANSWER_WITHIN_MS),
    ...change,
  });
  const add = (change: Partial<OpenVerification> = {}, now = start) => {
    const one = open(change, now);
    return addVerification(db, one, now, limits).then(() => one);
  };

  it("keeps a verifier's challenge as it was given, and hands the oldest to its machine until it is answered", async () => {
    const credential = { credentialBlob: 'QUJD', encryptedSecret: 'REVG' };
    const first = await add({ credential });
    const second = await add({}, later(1));
    expect(await findVerification(db, first.verificationId)).toEqual({
      ...first,
      state: 'waiting',
      answeredAt: null,
      evidence: null,
      answer: null,
      failure: null,
    });
    expect(await nextVerification(db, machineId, later(2))).toMatchObject(first);
    expect(await nextVerification(db, await machineIn(db), later(2))).toBeNull();
    const evidence = `{"text":"\\u00e9 ' $1"}`;
    await answerVerification(db, first, { evidence, answer: 'ab' }, later(3));
    expect(await findVerification(db, first.verificationId)).toMatchObject({
      state: 'answered',
      evidence,
      answer: 'ab',
      answeredAt: later(3),
      expiresAt: later(3 + COLLECT_WITHIN_MS),
    });
    expect(await nextVerification(db, machineId, later(4))).toMatchObject(second);
    await answerVerification(db, second, { failure: 'BUSY' }, later(5));
    expect(await findVerification(db, second.verificationId)).toMatchObject({ state: 'failed', failure: 'BUSY' });
    expect(await nextVerification(db, machineId, later(6))).toBeNull();
  });

  it('takes one answer, also when several come at once, and none for another machine or too late', async () => {
    const one = await add();
    const attempts = Array.from({ length: 5 }, () => answerVerification(db, one, { failure: 'BUSY' }, later(1)));
    const results = await Promise.allSettled(attempts);
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    await expect(answerVerification(db, one, { failure: 'BUSY' }, later(2))).rejects.toMatchObject({
      code: 'VERIFICATION_ANSWERED',
    });
    const two = await add();
    const other = await machineIn(db);
    const to = (which: { verificationId: string; machineId: string }, now: Date) =>
      answerVerification(db, which, { failure: 'BUSY' }, now).then(
        () => 'taken',
        (error: { code: string }) => error.code,
      );
    expect(await to({ ...two, machineId: other }, later(2))).toBe('VERIFICATION_UNKNOWN');
    expect(await to({ ...two, verificationId: fresh(16) }, later(2))).toBe('VERIFICATION_UNKNOWN');
    expect(await to(two, later(ANSWER_WITHIN_MS))).toBe('VERIFICATION_EXPIRED');
    expect(await nextVerification(db, machineId, later(ANSWER_WITHIN_MS))).toBeNull();
    expect(await to(two, later(ANSWER_WITHIN_MS - 1))).toBe('taken');
  });

  it('drops evidence when it is over, and forgets it some time later', async () => {
    const one = await add();
    await answerVerification(db, one, { evidence: '{}', answer: 'ab' }, start);
    await sweepVerifications(db, later(COLLECT_WITHIN_MS - 1));
    expect(await findVerification(db, one.verificationId)).toMatchObject({ evidence: '{}' });
    await sweepVerifications(db, later(COLLECT_WITHIN_MS));
    expect(await findVerification(db, one.verificationId)).toMatchObject({ state: 'answered', evidence: null });
    await sweepVerifications(db, later(COLLECT_WITHIN_MS + REMEMBERED_MS - 1));
    expect(await findVerification(db, one.verificationId)).not.toBeNull();
    await sweepVerifications(db, later(COLLECT_WITHIN_MS + REMEMBERED_MS));
    expect(await findVerification(db, one.verificationId)).toBeNull();
  });

  it("does not let one address use up a machine's credentials", async () => {
    const credential = { credentialBlob: 'QUJD', encryptedSecret: 'REVG' };
    const requester = '192.0.2.1';
    const code = (change: Partial<OpenVerification>, now = start) =>
      add({ credential, ...change }, now).then(
        () => 'taken',
        (error: { code: string }) => error.code,
      );
    expect(await code({ requester })).toBe('taken');
    expect(await code({ requester })).toBe('VERIFICATIONS_BUSY');
    expect(await code({ requester, credential: null })).toBe('taken');
    expect(await code({ requester: '192.0.2.2' })).toBe('taken');
    expect(await code({ requester, machineId: await machineIn(db) })).toBe('taken');
    const over = ANSWER_WITHIN_MS + REMEMBERED_MS;
    expect(await code({ requester }, later(over - 1))).toBe('VERIFICATIONS_BUSY');
    expect(await code({ requester }, later(over))).toBe('taken');
  });

  it('takes a challenge once, and none for a machine it does not know', async () => {
    const { challenge } = await add();
    await expect(add({ challenge })).rejects.toMatchObject({ code: 'VERIFICATION_REPEATED' });
    await expect(add({ machineId: fresh(32) })).rejects.toMatchObject({ code: 'MACHINE_UNKNOWN' });
  });

  it('bounds what waits for a machine, what an address has, and all', async () => {
    const code = (change: Partial<OpenVerification> = {}, now = start) =>
      add(change, now).then(
        () => 'taken',
        (error: { code: string }) => error.code,
      );
    for (let i = 0; i < limits.perMachine; i += 1) expect(await code()).toBe('taken');
    expect(await code()).toBe('VERIFICATIONS_BUSY');
    const [another, third] = [await machineIn(db), await machineIn(db)];
    expect(await code({ machineId: another })).toBe('taken');
    expect(await code({ machineId: third })).toBe('taken');
    expect(await code({ machineId: third })).toBe('VERIFICATIONS_FULL');

    await db.query('DELETE FROM verifications');
    const requester = '192.0.2.1';
    expect(await code({ requester })).toBe('taken');
    expect(await code({ requester })).toBe('taken');
    expect(await code({ requester, machineId: another })).toBe('taken');
    expect(await code({ requester, machineId: third })).toBe('taken');
    expect(await code({ requester, machineId: third })).toBe('VERIFICATIONS_BUSY');
    // An answer makes no room for its address: what was answered is kept, and it takes room.
    const waiting = await nextVerification(db, third, start);
    if (waiting !== null) await answerVerification(db, waiting, { failure: 'BUSY' }, start);
    expect(await code({ requester, machineId: third })).toBe('VERIFICATIONS_BUSY');
    expect(await code({ requester }, later(COLLECT_WITHIN_MS))).toBe('taken');
  });

  it('under any sequence answers each once, of its machine, in time, oldest first', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('ask' as const), machine: fc.nat(1) }),
      fc.record({ kind: fc.constant('answer' as const), machine: fc.nat(1), which: fc.nat(5) }),
      fc.record({ kind: fc.constant('look' as const), machine: fc.nat(1) }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 30_000, ANSWER_WITHIN_MS) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        await db.query('DELETE FROM verifications');
        const machines = [await machineIn(db), await machineIn(db)] as const;
        const asked: OpenVerification[] = [];
        const answered = new Set<string>();
        let now = start;
        for (const event of steps) {
          if (event.kind === 'wait') {
            now = new Date(now.getTime() + event.ms);
            continue;
          }
          const machine = event.machine === 0 ? machines[0] : machines[1];
          const isOpen = (one: OpenVerification) => !answered.has(one.verificationId) && now < one.expiresAt;
          if (event.kind === 'ask') {
            now = new Date(now.getTime() + 1);
            const one = open({ machineId: machine }, now);
            const waiting = asked.filter((each) => each.machineId === machine && isOpen(each)).length;
            const taken = await addVerification(db, one, now, {
              total: 100,
              perMachine: 2,
              perRequester: 100,
              credentials: 100,
            }).then(
              () => true,
              () => false,
            );
            expect(taken).toBe(waiting < 2);
            if (taken) asked.push(one);
          } else if (event.kind === 'look') {
            const oldest = asked.find((one) => one.machineId === machine && isOpen(one));
            expect((await nextVerification(db, machine, now))?.verificationId).toBe(oldest?.verificationId);
          } else {
            const chosen = asked[event.which % Math.max(1, asked.length)];
            if (chosen === undefined) continue;
            const allowed = chosen.machineId === machine && isOpen(chosen);
            const which = { verificationId: chosen.verificationId, machineId: machine };
            const taken = await answerVerification(db, which, { evidence: '{}', answer: null }, now).then(
              () => true,
              () => false,
            );
            expect(taken).toBe(allowed);
            if (taken) answered.add(chosen.verificationId);
          }
        }
      }),
      { numRuns: 30 },
    );
  });
}
