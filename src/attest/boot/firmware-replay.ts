/**
 * Explains every quoted register, in every quoted bank: by the log's events, or as never extended. Registers 10 and 12
 * are extended by the running system and have records of their own. What is not explained is refused, with the first
 * event that diverges where one change explains the value.
 */
import { equalBytes, toHex } from '../../shared/bytes.ts';
import type { AttestCrypto, HashName } from '../crypto/crypto.ts';
import { HASH_BYTES } from '../crypto/crypto.ts';
import { EventType } from '../event-log/event-types.ts';
import type { EventLog } from '../event-log/parse.ts';
import { extend, initialPcr, replayBank } from '../event-log/replay.ts';
import type { UntrustedEvent } from '../event-log/untrusted-event.ts';
import { CONFIGURATION_PCR } from '../evidence.ts';
import { IMA_PCR } from '../image/ima-log.ts';
import type { ReferenceValues } from '../image/reference-values.ts';
import type { Failure } from '../ledger.ts';
import type { QuotedRegisters } from '../quote/quoted-registers.ts';
import { actionDigests, actionOf } from './firmware-actions.ts';
import { divergence } from './firmware-divergence.ts';
import type { ExitBootServices } from './firmware-oddities.ts';

type Crypto = Pick<AttestCrypto, 'hash'>;

export interface Explained {
  readonly exitBootServices: ExitBootServices;
}

/** `capped`: the banks whose registers are the log's, closed by an extend of zeros. */
export interface Unexplained {
  readonly failure: Failure;
  readonly capped: readonly HashName[];
}

const EXIT_PCR = 5;

/** Every bank must come out, and all of them the same way: "any bank passes" would let an attacker choose one. */
export function explainRegisters(
  log: EventLog,
  quoted: QuotedRegisters,
  references: readonly ReferenceValues[],
  crypto: Crypto,
): Explained | Unexplained {
  let exitBootServices: ExitBootServices | null = null;
  for (const [bank, registers] of quoted) {
    const replayed = replayBank(log, bank, crypto);
    const lacking = replayed?.eventsWithoutDigest[0];
    if (replayed === null || lacking !== undefined) return { failure: bankMissing(log, bank, lacking), capped: [] };
    for (const [index, value] of registers) {
      const fromLog = replayed.pcrs.get(index);
      if (fromLog === undefined && (index === IMA_PCR || index === CONFIGURATION_PCR)) continue;
      const explained = fromLog ?? initialPcr(index, bank, log.startupLocality);
      const variant: ExitBootServices | null = equalBytes(explained, value)
        ? 'as-logged'
        : index === EXIT_PCR
          ? exitVariant(log, bank, explained, value, crypto)
          : null;
      if (index === EXIT_PCR && variant !== null) {
        if (exitBootServices !== null && exitBootServices !== variant) {
          return { failure: banksDiffer(bank, index, variant), capped: [] };
        }
        exitBootServices = variant;
      }
      if (variant !== null) continue;
      const seen = { bank, index, quoted: value, explained, extended: fromLog !== undefined };
      if (isCapped(value, explained, bank, crypto)) return { failure: cappedFailure(seen), capped: [bank] };
      return { failure: mismatch(seen, log, references, crypto), capped: [] };
    }
  }
  return { exitBootServices: exitBootServices ?? 'as-logged' };
}

interface Mismatch {
  readonly bank: HashName;
  readonly index: number;
  readonly quoted: Uint8Array;
  readonly explained: Uint8Array;
  readonly extended: boolean;
}

/** Windows closes a bank it does not use by extending zeros of the bank's width into each register. */
function isCapped(quoted: Uint8Array, explained: Uint8Array, bank: HashName, crypto: Crypto): boolean {
  return equalBytes(extend(explained, new Uint8Array(HASH_BYTES[bank]), bank, crypto), quoted);
}

/** Register 5 with constants of the profile at its end that the log lacks, or without the ones that the log has. */
function exitVariant(
  log: EventLog,
  bank: HashName,
  explained: Uint8Array,
  quoted: Uint8Array,
  crypto: Crypto,
): ExitBootServices | null {
  const digests = actionDigests(bank, crypto);
  const invoked = extend(explained, digests.exitInvocation, bank, crypto);
  const succeeded = extend(invoked, digests.exitSuccess, bank, crypto);
  if (equalBytes(invoked, quoted) || equalBytes(succeeded, quoted)) return 'not-logged';
  const own = log.events.filter((event) => event.pcr === EXIT_PCR && event.type !== EventType.NO_ACTION);
  const isExit = (event: UntrustedEvent): boolean => actionOf(event, bank, digests)?.startsWith('exit') ?? false;
  const kept = own.slice(0, own.findLastIndex((event) => !isExit(event)) + 1);
  let value = initialPcr(EXIT_PCR, bank);
  for (const event of kept) value = extend(value, event.digests.get(bank) ?? new Uint8Array(), bank, crypto);
  return equalBytes(value, quoted) ? 'only-logged' : null;
}

function mismatch(
  { bank, index, quoted, explained, extended }: Mismatch,
  log: EventLog,
  references: readonly ReferenceValues[],
  crypto: Crypto,
): Failure {
  const difference = { component: `register ${index}`, expected: toHex(quoted), actual: toHex(explained) };
  const register = bank === 'sha256' ? `register ${index}` : `register ${index} in the ${bank} bank`;
  if (!extended) {
    const sentence = `R${register.slice(1)} was extended, and no event says with what.`;
    return { code: 'PCR_UNEXPLAINED', family: 'false', sentence, difference };
  }
  const { sentence, event } = divergence(log, index, bank, quoted, references, crypto);
  return {
    code: 'EVENT_LOG_REPLAY_MISMATCH',
    family: 'false',
    sentence: `The event log does not lead to the quoted value of ${register}: ${sentence}.`,
    difference: event === null ? difference : { ...difference, event },
  };
}

function cappedFailure({ bank, index, quoted, explained }: Mismatch): Failure {
  return {
    code: 'BANK_CAPPED',
    family: 'policy',
    sentence: `The ${bank} bank was closed after the start: register ${index} is the log's value extended by zeros, as Windows does with a bank it does not use. It is no state of a boot.`,
    remedy: `Switch the TPM to the ${bank} bank in the firmware setup, and start our image from a cold start.`,
    difference: { component: `register ${index}`, expected: toHex(quoted), actual: toHex(explained) },
  };
}

function banksDiffer(bank: HashName, index: number, variant: ExitBootServices): Failure {
  return {
    code: 'EVENT_LOG_BANKS_DISAGREE',
    family: 'false',
    sentence: `The banks tell different stories of register ${index}: ${bank} has ExitBootServices ${variant}.`,
  };
}

function bankMissing(log: EventLog, bank: HashName, event: number | undefined): Failure {
  const lacks = event === undefined ? `it has ${log.banks.join(', ')}` : `event ${event} has none`;
  return {
    code: 'EVENT_LOG_BANK_MISSING',
    family: 'policy',
    sentence: `The event log lacks ${bank} digests; ${lacks}.`,
    remedy: `Switch the TPM's ${bank === 'sha256' ? 'SHA-256' : bank} bank on in the firmware setup.`,
  };
}
