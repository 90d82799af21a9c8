/** What a verifier does once and not for each piece of evidence: checks and reads what it judges with. */
import { CodedError } from '../shared/errors.ts';
import { type FirmwareKeys, firmwareKeys } from './boot/firmware-keys.ts';
import type { AttestCrypto } from './crypto/crypto.ts';
import { type PreparedTrust, prepareTrust } from './endorsement/ek-trust.ts';
import type { Standing } from './expected.ts';
import { type PreparedReference, prepareReference } from './image/prepared-reference.ts';
import { type PublicAreas, publicAreas } from './quote/public-area.ts';

export class AppraisalError extends CodedError<'EXPECTED_INVALID'> {}

/** `Standing` that was checked; made by `prepare` alone. */
export interface Prepared extends Standing {
  readonly prepared: true;
  /** `referenceValues`, checked and read. */
  readonly references: readonly PreparedReference[];
  /** Anchors, helping certificates and revocation lists, read. */
  readonly trust: PreparedTrust;
  readonly publicAreas: PublicAreas;
  /** Certificates in PK, KEK and db. */
  readonly firmwareKeys: FirmwareKeys;
}

/** Registers that a verdict rests on: a policy without one of them would accept what nobody looked at. */
const NEEDED_PCRS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14];

/**
 * `rememberedMachines`: of how many machines keys and EK certificate are not read anew each time. What they say is judged
 * each time, and every signature checked.
 * @throws CodedError when there is nothing to judge with, or what there is contradicts itself
 */
export function prepare(standing: Standing, crypto: AttestCrypto, rememberedMachines = 0): Prepared {
  const { pcrs, acceptedTpmClasses } = standing.policy;
  const ascending = pcrs.every((pcr, index) => index === 0 || pcr > (pcrs[index - 1] ?? pcr));
  requireNone([
    [
      !ascending || NEEDED_PCRS.some((pcr) => !pcrs.includes(pcr)),
      `the policy must name at least the registers ${NEEDED_PCRS.join(', ')}, ascending`,
    ],
    [!standing.policy.banks.includes('sha256'), 'the policy must name the bank sha256, that of the reference values'],
    [acceptedTpmClasses.length === 0, 'the policy accepts no class of TPM'],
    [standing.referenceValues.length === 0, 'there are no reference values to judge with'],
  ]);
  const references = standing.referenceValues.map((values) => prepareReference(values, crypto));
  const { trustAnchors: anchors, anchorClasses, extraCertificates, revocationLists } = standing;
  const trust = prepareTrust(
    { anchors, anchorClasses, extraCertificates, revocationLists },
    crypto,
    rememberedMachines,
  );
  return {
    ...standing,
    references,
    trust,
    publicAreas: publicAreas(crypto, rememberedMachines),
    firmwareKeys: firmwareKeys(crypto),
    prepared: true,
  };
}

/** @throws AppraisalError with the sentence of the first problem that is present */
export function requireNone(problems: readonly (readonly [present: boolean, sentence: string])[]): void {
  const problem = problems.find(([present]) => present);
  if (problem !== undefined) throw new AppraisalError('EXPECTED_INVALID', problem[1]);
}
