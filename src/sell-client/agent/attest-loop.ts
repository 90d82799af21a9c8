/**
 * Enrol, attest, wait, again: until the program ends. Failures back off and are shown; a broker that no longer knows the
 * machine gets it introduced anew; the network's return or a new finding (the alarm) makes the next attempt immediate.
 */
import type { EvidenceAnswer } from '../../protocol/messages.ts';
import { BrokerAnswerError } from '../broker/broker-answers.ts';
import type { MemoryUse } from '../hardware/memory.ts';
import type { MachineTpm } from '../tpm/machine-tpm.ts';
import type { Alarm } from './alarm.ts';
import { attest, enrol } from './attest-once.ts';
import { BROKER_BACK_OFF, backOffMs } from './back-off.ts';
import { toProblem } from './problem.ts';
import type { Session } from './session.ts';
import type { AgentEvent, Problem } from './state.ts';

export interface LoopPorts {
  dispatch(event: AgentEvent): void;
  nowMs(): number;
  random(): number;
  readonly alarm: Alarm;
  /** Resolves when an address is there; at once when one is. */
  networkUp(): Promise<void>;
  /** The open TPM; opened again after `discard`. */
  readonly tpm: { get(): Promise<MachineTpm>; discard(): Promise<void> };
  memoryUse(): Promise<MemoryUse>;
  readonly signal: AbortSignal;
}

export async function attestForever(session: Session, ports: LoopPorts): Promise<void> {
  let machineId: string | null = null;
  let failures = 0;
  while (!ports.signal.aborted) {
    await ports.networkUp();
    ports.alarm.clear();
    try {
      const tpm = await ports.tpm.get();
      if (machineId === null) {
        ports.dispatch({ type: 'enrolling' });
        machineId = await enrol(session, tpm);
        ports.dispatch({ type: 'enrolled', machineId });
      }
      const answer = await attest(session, tpm, machineId);
      ports.dispatch(verdictEvent(machineId, answer, ports.nowMs()));
      failures = 0;
      ports.dispatch({ type: 'memory', use: await ports.memoryUse() });
      await ports.alarm.wait(answer.nextAttestationMs, ports.signal);
    } catch (error) {
      if (ports.signal.aborted) return;
      if (isTpmError(error)) await ports.tpm.discard();
      failures += 1;
      if (machineId !== null && isMachineUnknown(error)) {
        machineId = null;
        ports.dispatch({ type: 'machine-unknown' });
        if (failures === 1) continue;
      }
      const waitMs = backOffMs(BROKER_BACK_OFF, failures, ports.random());
      ports.dispatch({ type: 'failed', problem: toProblem(error), retryAtMs: ports.nowMs() + waitMs });
      await ports.alarm.wait(waitMs, ports.signal);
    }
  }
}

function verdictEvent(machineId: string, answer: EvidenceAnswer, atMs: number): AgentEvent {
  if (answer.status === 'accepted') {
    return { type: 'accepted', machineId, atMs, nextAttestationMs: answer.nextAttestationMs };
  }
  return { type: 'refused', machineId, atMs, problem: firstFailure(answer) };
}

function firstFailure(answer: EvidenceAnswer): Problem {
  const failed = answer.checks.find((check) => check.status === 'failed');
  return {
    code: failed?.code ?? 'ATTESTATION_REFUSED',
    message: failed?.sentence ?? 'the broker refused the evidence and named no check',
    nextStep: failed?.remedy,
  };
}

/** Also when a newer run of the client has enrolled since: then its key speaks for the machine, and ours no more. */
function isMachineUnknown(error: unknown): boolean {
  if (!(error instanceof BrokerAnswerError) || error.code !== 'BROKER_REFUSED') return false;
  return error.status === 404 || error.brokerCode === 'SESSION_NOT_OF_MACHINE';
}

function isTpmError(error: unknown): boolean {
  return error instanceof Error && error.name.startsWith('Tpm');
}
