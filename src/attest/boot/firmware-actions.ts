/**
 * The few texts that firmware measures at turning points (PFP §10.4.3), each with the register it belongs to. They are
 * constants: their digests prove them, and they say nothing about what was started.
 */
import { equalBytes } from '../../shared/bytes.ts';
import type { AttestCrypto, HashName } from '../crypto/crypto.ts';
import { EventType } from '../event-log/event-types.ts';
import type { UntrustedEvent } from '../event-log/untrusted-event.ts';

export const ACTION = {
  call: 'Calling EFI Application from Boot Option',
  return: 'Returning from EFI Application from Boot Option',
  exitInvocation: 'Exit Boot Services Invocation',
  exitSuccess: 'Exit Boot Services Returned with Success',
  exitFailure: 'Exit Boot Services Returned with Failure',
  dmaProtectionDisabled: 'DMA Protection Disabled',
  debugMode: 'UEFI Debug Mode',
} as const;

export type Action = keyof typeof ACTION;

const ACTIONS = Object.entries(ACTION).map(
  ([action, text]) => [action as Action, new TextEncoder().encode(text)] as const,
);

export type ActionDigests = { readonly [action in Action]: Uint8Array };

/** Constants, whoever computes them. */
const knownDigests = new Map<HashName, ActionDigests>();

/** The digest of each action in `bank`. Types are not covered by digests, so an action is known by its digest alone. */
export function actionDigests(bank: HashName, crypto: Pick<AttestCrypto, 'hash'>): ActionDigests {
  const known = knownDigests.get(bank);
  if (known !== undefined) return known;
  const pairs = ACTIONS.map(([action, text]) => [action, crypto.hash(bank, text)] as const);
  const digests = Object.fromEntries(pairs) as { [action in Action]: Uint8Array };
  knownDigests.set(bank, digests);
  return digests;
}

export function actionOf(event: UntrustedEvent, bank: HashName, digests: ActionDigests): Action | null {
  const digest = event.digests.get(bank);
  if (digest === undefined || event.type === EventType.NO_ACTION) return null;
  for (const [action] of ACTIONS) if (equalBytes(digests[action], digest)) return action;
  return null;
}
