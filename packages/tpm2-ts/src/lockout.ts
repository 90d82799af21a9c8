/**
 * A TPM that refuses keys and passwords because it counted too many failures (Part 1 §19.8, dictionary attack protection).
 * Nothing is broken: it forgets one failure after each interval of powered time, by itself.
 */
import type { Tpm } from './command.ts';
import { getCapability } from './commands-state.ts';
import { PROPERTY } from './constants.ts';
import { RC_LOCKOUT, TpmResponseError } from './response-code.ts';

export interface DictionaryAttackState {
  readonly failures: number;
  /** At this many failures the TPM is locked out. */
  readonly maxFailures: number;
  /** After this time with power one failure is forgotten; 0 for never. */
  readonly intervalSeconds: number;
  /** After this time the lockout password may be tried again; 0 for at the next start. */
  readonly lockoutRecoverySeconds: number;
}

/** What the TPM counts; anybody may read it, also during a lockout. */
export async function readDictionaryAttackState(tpm: Tpm): Promise<DictionaryAttackState> {
  const { data } = await getCapability(tpm, {
    capability: 'tpmProperties',
    property: PROPERTY.lockoutCounter,
    count: PROPERTY.lockoutRecovery - PROPERTY.lockoutCounter + 1,
  });
  const value = (wanted: number) => data.properties.find(({ property }) => property === wanted)?.value ?? 0;
  return {
    failures: value(PROPERTY.lockoutCounter),
    maxFailures: value(PROPERTY.maxAuthFail),
    intervalSeconds: value(PROPERTY.lockoutInterval),
    lockoutRecoverySeconds: value(PROPERTY.lockoutRecovery),
  };
}

/** Seconds with power until the TPM obeys again, at most; null when it never will by itself. */
export function recoverySeconds(state: DictionaryAttackState): number | null {
  const tooMany = Math.max(0, state.failures - state.maxFailures + 1);
  if (tooMany === 0) return 0;
  return state.intervalSeconds === 0 ? null : tooMany * state.intervalSeconds;
}

/** TPM_RC_LOCKOUT with what there is to know about its end. */
export class TpmLockoutError extends Error {
  readonly code = 'TPM_LOCKED_OUT';
  override readonly name = 'TpmLockoutError';
  readonly state: DictionaryAttackState;
  /** Seconds with power until it recovers, at most; null when it never will by itself. */
  readonly recoverySeconds: number | null;
  readonly nextStep: string;

  constructor(command: string, state: DictionaryAttackState, options: { cause?: unknown } = {}) {
    const { failures, maxFailures, intervalSeconds } = state;
    const rule =
      intervalSeconds === 0 ? 'it forgets none of them' : `it forgets one every ${duration(intervalSeconds)}`;
    super(
      `${command}: the TPM is locked out, it counted ${failures} failures of at most ${maxFailures}; ${rule}`,
      options,
    );
    this.state = state;
    this.recoverySeconds = recoverySeconds(state);
    this.nextStep =
      this.recoverySeconds === null
        ? 'clear the TPM in the firmware setup; keys kept in it are lost'
        : `leave the machine on for ${duration(Math.max(60, this.recoverySeconds))}: it recovers by itself; do not restart it in the meantime`;
  }
}

/** Runs `work`; a refusal for lockout comes out as `TpmLockoutError`. */
export async function explainingLockout<T>(tpm: Tpm, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TpmResponseError) || error.rc !== RC_LOCKOUT) throw error;
    const state = await readDictionaryAttackState(tpm).catch(() => undefined);
    if (state === undefined) throw error;
    throw new TpmLockoutError(error.command, state, { cause: error });
  }
}

function duration(seconds: number): string {
  const [amount, unit] = seconds < 120 ? [seconds, 'seconds'] : [Math.ceil(seconds / 60), 'minutes'];
  return amount < 120 || unit === 'seconds' ? `${amount} ${unit}` : `${Math.ceil(amount / 60)} hours`;
}
