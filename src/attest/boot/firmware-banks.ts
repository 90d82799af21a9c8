/**
 * Do all banks of a log tell one story. Only the quoted ones are proven; but where data binds one bank's digest, an
 * honest machine has the same data behind the digests of all others (ATTEST CVE-2021-44229: an empty bank filled from a
 * good log).
 */
import type { AttestCrypto, HashName } from '../crypto/crypto.ts';
import { bindingOf } from '../event-log/binding.ts';
import type { DecodedEvent } from '../event-log/decode.ts';
import { eventTypeName } from '../event-log/event-types.ts';
import type { EventLog } from '../event-log/parse.ts';
import { isHashName } from '../event-log/replay.ts';
import type { Failure } from '../ledger.ts';
import type { BankVerdict } from '../verdict.ts';

/** `events` were decoded in `bank`. Null when no event binds different data in different banks. */
export function bankContradiction(
  log: EventLog,
  events: readonly DecodedEvent[],
  bank: HashName,
  crypto: Pick<AttestCrypto, 'hash'>,
): Failure | null {
  const others = log.banks.filter((name): name is HashName => isHashName(name) && name !== bank);
  if (others.length === 0) return null;
  for (const decoded of events) {
    const { event } = decoded;
    for (const other of others) {
      const digest = event.digests.get(other);
      if (digest === undefined) continue;
      const binding = bindingOf(event, decoded.detail, digest, (data) => crypto.hash(other, data));
      if (binding === (decoded.boundBy ?? null)) continue;
      const [yes, no] = binding !== null ? [other, bank] : [bank, other];
      return {
        code: 'EVENT_LOG_BANKS_DISAGREE',
        family: 'false',
        sentence: `Event ${event.number} (${eventTypeName(event.type)}) is not the same in all banks: its data has the ${yes} digest and not the ${no} digest.`,
        remedy: 'Restart the machine; if it stays, its log is made up or its firmware is broken: do not trust it.',
      };
    }
  }
  return null;
}

const JUDGED = 'Signed by the TPM, judged register by register.';
/** The records of the running system, IMA's list and the configuration, are kept in sha256. */
const JUDGED_BUT_RUNTIME =
  'Signed by the TPM, judged register by register; 10 and 12, which the running system extends, in sha256 alone.';

/** One line per bank of the log, and per quoted bank that the log lacks. */
export function bankVerdicts(
  banks: readonly string[],
  quoted: readonly string[],
  capped: readonly string[],
): readonly BankVerdict[] {
  return [...new Set([...quoted, ...banks])].map((bank) => {
    if (capped.includes(bank)) {
      return { bank, status: 'capped', sentence: 'Closed with zeros after the start: no state of a boot.' };
    }
    if (quoted.includes(bank)) {
      return { bank, status: 'quoted', sentence: bank === 'sha256' ? JUDGED : JUDGED_BUT_RUNTIME };
    }
    const sentence = isHashName(bank)
      ? 'Only in the log, not signed: nothing rests on it; where its digests can be checked, they agree.'
      : 'Only in the log, of a kind that is not computed here: nothing rests on it.';
    return { bank, status: 'in-log-only', sentence };
  });
}
