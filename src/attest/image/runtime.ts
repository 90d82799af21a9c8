/** Judges what the running image measured: IMA's kernel modules in register 10, the seller's configuration in register 12. */
import { equalBytes, toHex } from '../../shared/bytes.ts';
import type { AttestCrypto } from '../crypto/crypto.ts';
import { extend, initialPcr } from '../event-log/replay.ts';
import { CONFIGURATION_PCR, type Evidence } from '../evidence.ts';
import type { Failure } from '../ledger.ts';
import { bootAggregate, IMA_PCR, type ImaEntry, ImaLogError, parseImaLog, provenImaEntries } from './ima-log.ts';
import type { PreparedReference } from './prepared-reference.ts';

type Pcrs = ReadonlyMap<number, Uint8Array>;

/** The proven entries, or why register 10 is not explained by them. */
export function readImaLog(
  imaLog: Uint8Array,
  pcrs: Pcrs,
  { imaEntries }: Pick<PreparedReference, 'imaEntries'>,
  crypto: AttestCrypto,
): readonly ImaEntry[] | Failure {
  let entries: readonly ImaEntry[];
  try {
    entries = parseImaLog(imaLog, imaEntries);
  } catch (error) {
    if (!(error instanceof ImaLogError)) throw error;
    const reason = error.cause instanceof Error ? `: ${error.cause.message}` : '';
    return { code: 'IMA_LOG_MALFORMED', family: 'malformed', sentence: `${error.message}${reason}.` };
  }
  const quoted = pcrs.get(IMA_PCR) ?? new Uint8Array();
  if (equalBytes(quoted, initialPcr(IMA_PCR, 'sha256'))) {
    return { code: 'IMA_NOT_MEASURED', family: 'policy', sentence: 'The kernel measured nothing into register 10.' };
  }
  const proven = provenImaEntries(entries, quoted, crypto);
  if (proven === null) {
    return {
      code: entries.length === 0 ? 'IMA_LOG_MISSING' : 'IMA_LOG_REPLAY_MISMATCH',
      family: 'false',
      sentence: `No beginning of the IMA log (${entries.length} entries) leads to the quoted value of register 10.`,
    };
  }
  const first = proven[0];
  const aggregate = bootAggregate((index) => pcrs.get(index) ?? new Uint8Array(), crypto);
  if (first?.file.path !== 'boot_aggregate' || first.violation || toHex(first.file.digest) !== aggregate) {
    return {
      code: 'BOOT_AGGREGATE_MISMATCH',
      family: 'false',
      sentence: 'The IMA log does not begin with the boot registers of this quote.',
      difference: {
        component: 'boot aggregate',
        expected: aggregate,
        actual: first === undefined ? 'nothing' : toHex(first.file.digest),
      },
    };
  }
  return proven;
}

/** Everything the kernel loaded after its start must be a module of the image, known by its hash; the path is hearsay. */
export function moduleFailure(entries: readonly ImaEntry[], { modules }: PreparedReference): Failure | null {
  const stranger = entries.slice(1).find(({ file, violation, module }) => {
    if (violation || file.algorithm !== 'sha256') return true;
    return module === null && !modules.has(toHex(file.digest));
  });
  if (stranger === undefined) return null;
  const actual = `${stranger.file.algorithm}:${toHex(stranger.file.digest)} (named ${JSON.stringify(stranger.file.path)})`;
  return {
    code: 'KERNEL_MODULE_UNKNOWN',
    family: 'policy',
    sentence: `The kernel loaded a file that is no module of the image: ${actual}.`,
    difference: { component: 'kernel module', expected: `one of the image's ${modules.size} modules`, actual },
  };
}

export function configurationFailure(evidence: Evidence, pcrs: Pcrs, crypto: AttestCrypto): Failure | null {
  const quoted = pcrs.get(CONFIGURATION_PCR);
  const initial = initialPcr(CONFIGURATION_PCR, 'sha256');
  const expected =
    evidence.configuration.length === 0
      ? initial
      : extend(initial, crypto.hash('sha256', evidence.configuration), 'sha256', crypto);
  if (quoted !== undefined && equalBytes(quoted, expected)) return null;
  return {
    code: 'CONFIGURATION_MISMATCH',
    family: 'false',
    sentence: `The configuration that was handed over is not the one measured into register ${CONFIGURATION_PCR}.`,
    difference: { component: 'configuration', expected: toHex(expected), actual: toHex(quoted ?? new Uint8Array()) },
  };
}
