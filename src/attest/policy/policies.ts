/** Policies by name, so that what was accepted can be read off the call. */

import { ORDINARY_WORKAROUNDS } from '../boot/firmware-workarounds.ts';
import { QUOTED_PCRS, type TpmClass } from '../evidence.ts';
import type { Policy } from './policy.ts';

/**
 * All static registers under Secure Boot, and a TPM of one of these classes. The classes have no default. Of the known
 * oddities of firmware those are overlooked that PCs have and that cannot hide anything; anything unknown in register 7
 * is refused. A TPM that lost power is accepted: switching a machine off at the wall is common, what it booted is
 * measured all the same, and counters that went back are refused anyway.
 */
export function policyAccepting(acceptedTpmClasses: readonly TpmClass[]): Policy {
  return {
    acceptedTpmClasses,
    requireSecureBoot: true,
    pcrs: QUOTED_PCRS,
    banks: ['sha256'],
    firmwareWorkarounds: ORDINARY_WORKAROUNDS,
    secureBoot: {
      allowedAuthorities: 'any',
      dbx: { minimumEntries: 0, requiredHashes: [], notOlderThan: null },
      unknownVariables: 'refuse',
    },
    clock: { unsafe: 'accept', backwards: 'refuse', firmwareRollback: 'refuse' },
    debugImages: 'refuse',
  };
}

/** For demonstrations on a software TPM: proves the image and the chain, nothing about the machine under it. */
export const demoPolicyAcceptingSoftwareTpm: Policy = policyAccepting(['software']);
