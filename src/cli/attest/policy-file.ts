/** What to accept, as the command line says it: a policy file, or the classes of TPMs alone. */
import type { TpmClass } from '../../attest/evidence.ts';
import { policyAccepting } from '../../attest/policy/policies.ts';
import { type Policy, parsePolicy } from '../../attest/policy/policy.ts';
import { AttestCommandError, read } from './files.ts';

/** Null where neither is named. @throws AttestCommandError POLICY_TWICE where both are; PolicyError */
export async function readPolicy(
  path: string | undefined,
  classes: readonly TpmClass[] | undefined,
): Promise<Policy | null> {
  if (path === undefined) return classes === undefined ? null : policyAccepting(classes);
  if (classes === undefined) return parsePolicy(await read(path));
  throw new AttestCommandError('POLICY_TWICE', 'a policy file and --accept-class were given: both name the classes', {
    nextStep: 'write the classes into the policy file and leave --accept-class out',
  });
}
