/** Policies by name, so that what was accepted can be read off the call. */
import { QUOTED_PCRS, type TpmClass } from './evidence.ts';
import type { Policy } from './expected.ts';

/** All static registers under Secure Boot, and a TPM of one of these classes. The classes have no default. */
export function policyAccepting(acceptedTpmClasses: readonly TpmClass[]): Policy {
  return { acceptedTpmClasses, requireSecureBoot: true, pcrs: QUOTED_PCRS };
}

/** For demonstrations on a software TPM: proves the image and the chain, nothing about the machine under it. */
export const demoPolicyAcceptingSoftwareTpm: Policy = policyAccepting(['software']);
