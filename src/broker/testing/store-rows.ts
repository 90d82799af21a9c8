/** Rows to try a database with: no two share an id. */
import { CHALLENGE_LIFETIME_MS, type IssuedChallenge } from '../challenge.ts';
import type { Database } from '../db/database.ts';
import { upsertMachine } from '../db/machines.ts';
import type { Enrolment } from '../enrolment.ts';

export const start = new Date('2026-03-01T00:00:00.123Z');
export const later = (ms: number) => new Date(start.getTime() + ms);
export const id = (length: number, number: number) => number.toString(16).padStart(2 * length, '0');
let serial = 0;
/** So many bytes in hex. */
export const fresh = (length: number) => id(length, ++serial);

export function newMachine(machineId: string) {
  return {
    machineId,
    ekName: `000b${machineId}`,
    ekPublic: 'RUs=',
    ekCertificates: ['QUJD'],
    sessionPublicKey: 'U0s=',
  };
}

export async function machineIn(db: Database): Promise<string> {
  const machine = newMachine(fresh(32));
  await upsertMachine(db, machine, start, 100_000);
  return machine.machineId;
}

export function newEnrolment(now: Date): Enrolment {
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

export function challengeFor(machineId: string, now: Date): IssuedChallenge {
  const expiresAt = new Date(now.getTime() + CHALLENGE_LIFETIME_MS);
  return { challengeId: fresh(16), machineId, challenge: fresh(32), state: 'open', expiresAt };
}
