/**
 * Machines that said they cannot be attested at all. Nobody proved anything about them: they are kept in memory only, a
 * bounded number, and forgotten with the process. They never become a machine with a verdict.
 */
import { createHash } from 'node:crypto';
import type { UnattestedNotice } from '../protocol/messages.ts';
import { fromBase64, toHex } from '../shared/bytes.ts';

export interface UnattestedMachine {
  /** SHA-256 of the session public key in hex: good for this boot. */
  readonly machineId: string;
  readonly reason: string;
  readonly firstSeenAt: Date;
  readonly lastSeenAt: Date;
}

export interface UnattestedList {
  note(notice: UnattestedNotice, now: Date): UnattestedMachine;
  /** The one seen last comes first. */
  all(): readonly UnattestedMachine[];
}

export function createUnattestedList(limit: number): UnattestedList {
  const machines = new Map<string, UnattestedMachine>();
  return {
    note(notice, now) {
      const machineId = toHex(createHash('sha256').update(fromBase64(notice.sessionPublicKey)).digest());
      const firstSeenAt = machines.get(machineId)?.firstSeenAt ?? now;
      const machine = { machineId, reason: notice.reason, firstSeenAt, lastSeenAt: now };
      machines.delete(machineId);
      machines.set(machineId, machine);
      const oldest = machines.keys().next();
      if (machines.size > limit && !oldest.done) machines.delete(oldest.value);
      return machine;
    },
    all: () => [...machines.values()].reverse(),
  };
}
