/** What the rows of challenges promise, on every database: only the newest, of its machine, in time, once. */
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { CHALLENGE_LIFETIME_MS, type IssuedChallenge, REMEMBERED_CHALLENGES } from '../challenge.ts';
import { issueChallenge, takeChallenge } from '../db/challenges.ts';
import type { Database } from '../db/database.ts';
import { challengeFor, fresh, later, machineIn, start } from './store-rows.ts';

export function describeChallenges(database: () => Database): void {
  let db: Database;
  beforeAll(() => {
    db = database();
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
}
