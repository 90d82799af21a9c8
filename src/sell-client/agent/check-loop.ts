/**
 * Asks the broker what buyers want to check, and answers, one at a time: beside the regular attestation, never in its way.
 * How often is bounded here and not only at the broker: a TPM signs a few times a second at best, and each credential costs
 * it a write to memory that wears out.
 */
import type { PendingVerification } from '../../protocol/relay-messages.ts';
import { BrokerAnswerError } from '../broker/broker-answers.ts';
import { type AllowanceLimit, createAllowance } from './allowance.ts';
import { answerCheck, type CheckAnswer, isBroken } from './answer-check.ts';
import type { LoopPorts } from './attest-loop.ts';
import { signRequest } from './attest-once.ts';
import { BROKER_BACK_OFF, backOffMs } from './back-off.ts';
import type { Session } from './session.ts';

export interface CheckPorts extends Pick<LoopPorts, 'dispatch' | 'nowMs' | 'random' | 'networkUp' | 'tpm' | 'signal'> {
  /** The machine's id at the broker, as soon as it has enrolled; null at the end of the program. */
  machineId(): Promise<string | null>;
  /** The broker does not know this session any more: enrol and attest anew. */
  attestNow(): void;
  /** Ends early with the program. */
  pause(ms: number): Promise<void>;
}

export const CHECKS: AllowanceLimit = { burst: 6, everyMs: 10_000 };
export const CREDENTIALS: AllowanceLimit = { burst: 4, everyMs: 600_000 };
/** Two machines with a copy of one TPM take each other's place at the broker; they shall not do it all the time. */
export const RETURNS: AllowanceLimit = { burst: 2, everyMs: 60_000 };
/** A refused credential is answered so long after it came, whatever the TPM found wrong how fast: nothing to learn from the time. */
export const REFUSED_AFTER_MS = 5000;
/** Less than a minute, after which home routers forget a quiet connection. */
const POLL_WAIT_MS = 25_000;
/** Between two questions that came back empty at once. */
const MIN_POLL_MS = 1000;
const MAX_POLL_MS = 60_000;

export async function answerChecksForever(session: Session, ports: CheckPorts): Promise<void> {
  const checks = createAllowance(CHECKS);
  const credentials = createAllowance(CREDENTIALS);
  const returns = createAllowance(RETURNS);
  let failures = 0;
  while (!ports.signal.aborted) {
    await ports.networkUp();
    const machineId = await ports.machineId();
    const waitMs = checks.waitMs(ports.nowMs());
    if (waitMs > 0) await ports.pause(waitMs);
    if (machineId === null || ports.signal.aborted) return;
    try {
      const askedAtMs = ports.nowMs();
      const signature = signRequest(session, { machineId, purpose: 'pending', subject: '' });
      const { verification, nextPollMs } = await session.broker.pending(machineId, {
        waitMs: POLL_WAIT_MS,
        signature,
      });
      if (verification === undefined) {
        const atOnce = ports.nowMs() - askedAtMs < MIN_POLL_MS;
        await ports.pause(Math.min(MAX_POLL_MS, Math.max(nextPollMs, atOnce ? MIN_POLL_MS : 0)));
      } else {
        checks.take(ports.nowMs());
        const mayOpen = verification.credential === undefined || credentials.take(ports.nowMs());
        await answerOne(session, ports, machineId, verification, mayOpen);
      }
      failures = 0;
    } catch (error) {
      if (ports.signal.aborted) return;
      failures += 1;
      if (isForgotten(error) && returns.take(ports.nowMs())) ports.attestNow();
      // Not shown: the attestation beside this speaks to the same broker and says what is wrong.
      await ports.pause(backOffMs(BROKER_BACK_OFF, failures, ports.random()));
    }
  }
}

async function answerOne(
  session: Session,
  ports: CheckPorts,
  machineId: string,
  check: PendingVerification,
  mayOpen: boolean,
): Promise<void> {
  ports.dispatch({ type: 'check-begun' });
  const begunMs = ports.nowMs();
  let done = false;
  try {
    const given: CheckAnswer = mayOpen ? await orFailure(session, ports, check) : { failure: 'BUSY' };
    if (given.failure === 'CREDENTIAL_REFUSED') {
      await ports.pause(Math.max(0, begunMs + REFUSED_AFTER_MS - ports.nowMs()));
    }
    const signature = signRequest(session, { machineId, purpose: 'answer', subject: check.verificationId });
    await session.broker.answerVerification(machineId, check.verificationId, { ...given, signature });
    done = given.failure === undefined;
  } finally {
    ports.dispatch({ type: 'check-ended', answered: done });
  }
}

/** A TPM that fails is a reason the buyer can be told at once; the buyer need not wait for nothing. */
async function orFailure(session: Session, ports: CheckPorts, check: PendingVerification): Promise<CheckAnswer> {
  try {
    return await answerCheck(session, await ports.tpm.get(), check);
  } catch (error) {
    if (isBroken(error)) await ports.tpm.discard();
    return { failure: 'TPM_FAILED' };
  }
}

function isForgotten(error: unknown): boolean {
  return (
    error instanceof BrokerAnswerError &&
    (error.brokerCode === 'MACHINE_UNKNOWN' || error.brokerCode === 'SESSION_NOT_OF_MACHINE')
  );
}
