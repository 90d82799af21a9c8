/**
 * Whose machine is this? Asks the broker, shows a code until somebody has claimed it (RFC 8628), and asks again now and then,
 * since an owner can give a machine up. Runs beside the attestation and waits for nothing of it but the machine's id.
 */

import type { PairingAnswer, PairingFacts, PairingStatus } from '../../protocol/pairing-messages.ts';
import { toBase64 } from '../../shared/bytes.ts';
import type { LoopPorts } from '../agent/attest-loop.ts';
import { BROKER_BACK_OFF, backOffMs } from '../agent/back-off.ts';
import { toProblem } from '../agent/problem.ts';
import type { SessionKey } from '../agent/session-key.ts';
import type { PairingState } from '../agent/state.ts';
import { BrokerAnswerError } from '../broker/broker-answers.ts';
import type { BrokerClient } from '../broker/broker-client.ts';

export interface Claimant {
  readonly broker: Pick<BrokerClient, 'requestPairing' | 'pairingStatus'>;
  /** The pin. Hex. */
  readonly brokerId: string;
  readonly key: SessionKey;
  readonly facts: PairingFacts;
  /** Whether the machine enrols with a TPM; else it names its session key. */
  readonly enrols: boolean;
}

export interface PairingPorts extends Pick<LoopPorts, 'dispatch' | 'nowMs' | 'random' | 'networkUp' | 'signal'> {
  /** The machine's id at the broker, as soon as there is one; null at the end of the program. */
  machineId(): Promise<string | null>;
  /** Ends early with the program. */
  pause(ms: number): Promise<void>;
}

/** So soon a machine that was given up asks anew. */
export const ASK_AGAIN_MS = 5 * 60_000;
/** After somebody said no: whoever types codes at random shall not have a new one at once. */
export const DENIED_MS = 60_000;
/** RFC 8628 §3.5. */
const SLOW_DOWN_MS = 5000;

type Show = (pairing: PairingState) => void;
type Waiting = PairingAnswer & { status: 'waiting' };
type Outcome = Exclude<PairingStatus['status'], 'authorization_pending' | 'slow_down'>;

export async function pairForever(claimant: Claimant, ports: PairingPorts): Promise<void> {
  let failures = 0;
  const shown: { kind: PairingState['kind'] } = { kind: 'unknown' };
  const show: Show = (pairing) => {
    shown.kind = pairing.kind;
    ports.dispatch({ type: 'pairing', pairing });
  };
  while (!ports.signal.aborted) {
    await ports.networkUp();
    const machineId = await ports.machineId();
    if (machineId === null || ports.signal.aborted) return;
    try {
      const waitMs = await pairOnce(claimant, ports, machineId, show);
      failures = 0;
      await ports.pause(waitMs);
    } catch (error) {
      if (ports.signal.aborted) return;
      failures += 1;
      // A code that nobody answers for must not stay on the screen; whose machine it was stands until the broker says otherwise.
      if (shown.kind !== 'paired') show({ kind: 'unknown', problem: toProblem(error) });
      await ports.pause(backOffMs(BROKER_BACK_OFF, failures, ports.random()));
    }
  }
}

/** Returns how long nothing is to be done. */
async function pairOnce(claimant: Claimant, ports: PairingPorts, machineId: string, show: Show): Promise<number> {
  const answer = await claimant.broker.requestPairing({
    ...identityOf(claimant, machineId),
    facts: claimant.facts,
    signature: signed(claimant, { machineId, purpose: 'pair', subject: '' }),
  });
  if (answer.status === 'paired') return showPaired(answer, show);
  const shownUntilMs = ports.nowMs() + answer.expiresInSeconds * 1000;
  const { userCode, verificationUri, verificationUriComplete } = answer;
  show({ kind: 'waiting', userCode, verificationUri, verificationUriComplete, expiresAtMs: shownUntilMs });
  const ended = await pollUntilDecided(claimant, ports, machineId, answer, shownUntilMs);
  if (ended.status === 'paired') return showPaired(ended, show);
  if (ended.status !== 'access_denied') return 0;
  show({ kind: 'denied', nextAtMs: ports.nowMs() + DENIED_MS });
  return DENIED_MS;
}

function showPaired({ account, lasting }: PairingStatus & { status: 'paired' }, show: Show): number {
  show({ kind: 'paired', account, lasting });
  return ASK_AGAIN_MS;
}

/** §3.4, §3.5. A poll that got no answer is made again a little later; the code on the screen is good all the while. */
async function pollUntilDecided(
  claimant: Claimant,
  ports: PairingPorts,
  machineId: string,
  { deviceCode, intervalSeconds }: Waiting,
  untilMs: number,
): Promise<PairingStatus & { status: Outcome }> {
  const signature = signed(claimant, { machineId, purpose: 'pair-poll', subject: deviceCode });
  let intervalMs = intervalSeconds * 1000;
  let failures = 0;
  while (!ports.signal.aborted && ports.nowMs() < untilMs) {
    await ports.pause(intervalMs + (failures === 0 ? 0 : backOffMs(BROKER_BACK_OFF, failures, ports.random())));
    if (ports.signal.aborted) break;
    try {
      const body = { ...identityOf(claimant, machineId), deviceCode, signature };
      const answer = await claimant.broker.pairingStatus(body);
      failures = 0;
      if (answer.status === 'slow_down') intervalMs += SLOW_DOWN_MS;
      else if (isDecided(answer)) return answer;
    } catch (error) {
      // An answer that says no will say no again; what was no answer may come yet.
      if (error instanceof BrokerAnswerError && error.code === 'BROKER_REFUSED' && error.status !== 429) throw error;
      failures += 1;
    }
  }
  return { status: 'expired_token' };
}

function isDecided(answer: PairingStatus): answer is PairingStatus & { status: Outcome } {
  return answer.status !== 'authorization_pending' && answer.status !== 'slow_down';
}

function identityOf({ enrols, key }: Claimant, machineId: string) {
  return enrols ? { machineId } : { machineId, sessionPublicKey: toBase64(key.publicKey) };
}

function signed(
  { key, brokerId }: Claimant,
  request: { readonly machineId: string; readonly purpose: 'pair' | 'pair-poll'; readonly subject: string },
): string {
  return toBase64(key.signRequest({ ...request, brokerId }));
}
