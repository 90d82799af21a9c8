/** Judges what ran, once the log is proven: Secure Boot, our own chain, and what the running system measured. */

import type { WorkaroundName } from '../boot/firmware-workaround-names.ts';
import type { SecureBootJudgement } from '../boot/secure-boot.ts';
import type { AttestCrypto } from '../crypto/crypto.ts';
import type { DecodedEvent } from '../event-log/decode.ts';
import type { Evidence } from '../evidence.ts';
import type { Ledger } from '../ledger.ts';
import type { Policy } from '../policy/policy.ts';
import { chainFailure, compareOwnChain, type Difference } from './own-chain.ts';
import type { PreparedReference } from './prepared-reference.ts';
import { configurationFailure, moduleFailure, readImaLog } from './runtime.ts';

/** The release whose registers fit, or the one with the fewest differences. */
export function closestReference(
  events: readonly DecodedEvent[],
  references: readonly PreparedReference[],
  overlooked: readonly WorkaroundName[],
): { reference: PreparedReference; differences: readonly Difference[] } {
  const compared = references.map((reference) => ({
    reference,
    differences: compareOwnChain(events, reference, overlooked),
  }));
  const [first, ...others] = compared;
  if (first === undefined) throw new Error('prepared without reference values');
  return others.reduce((best, each) => (each.differences.length < best.differences.length ? each : best), first);
}

/** One stage: with Secure Boot off the chain differs as well, and both are worth saying. */
export function judgeImage(
  secureBoot: SecureBootJudgement,
  reference: PreparedReference,
  differences: readonly Difference[],
  debugImages: Policy['debugImages'],
  ledger: Ledger,
): void {
  if (secureBoot.failure === null) ledger.pass('secure-boot', 'Secure Boot was on.');
  else ledger.fail('secure-boot', secureBoot.failure);
  const [first, ...others] = differences;
  const { image } = reference.values;
  if (first === undefined && image.debug === true && debugImages === 'refuse') {
    ledger.fail('image', {
      code: 'IMAGE_FOR_DEBUGGING',
      family: 'policy',
      sentence: `The machine runs ${image.name} ${image.version}, an image for developers: whoever sits at it has a shell.`,
    });
  } else if (first === undefined) {
    ledger.pass('image', `The machine runs ${image.name} ${image.version}, nothing more and nothing less.`);
  } else {
    ledger.fail('image', chainFailure([first, ...others], reference.values));
  }
}

export function judgeRuntime(
  evidence: Evidence,
  pcrs: ReadonlyMap<number, Uint8Array>,
  reference: PreparedReference,
  crypto: AttestCrypto,
  ledger: Ledger,
): void {
  const entries = readImaLog(evidence.imaLog, pcrs, reference, crypto);
  if ('code' in entries) {
    ledger.fail('ima-log', entries);
  } else {
    ledger.pass('ima-log', `The IMA log explains register 10 with ${entries.length} entries.`);
    const stranger = moduleFailure(entries, reference);
    if (stranger === null)
      ledger.pass('kernel-modules', `All ${entries.length - 1} loaded kernel modules are the image's own.`);
    else ledger.fail('kernel-modules', stranger);
  }
  const configuration = configurationFailure(evidence, pcrs, crypto);
  if (configuration !== null) ledger.fail('configuration', configuration);
  else if (evidence.configuration.length === 0)
    ledger.pass('configuration', 'The machine uses no configuration of its seller.');
  else ledger.pass('configuration', "The seller's configuration is the one that was measured.");
}
