/** A machine without a usable TPM tells the broker so, and repeats it, since the broker keeps such notices in memory only. */
import type { UnattestedNotice } from '../../protocol/messages.ts';
import type { BrokerClient } from '../broker/broker-client.ts';
import type { LoopPorts } from './attest-loop.ts';
import { BROKER_BACK_OFF, backOffMs } from './back-off.ts';
import { toProblem } from './problem.ts';
import type { Problem } from './state.ts';

const REPEAT_MS = 10 * 60_000;

export async function reportForever(
  broker: BrokerClient,
  notice: UnattestedNotice,
  problem: Problem,
  ports: Omit<LoopPorts, 'tpm' | 'memoryUse'>,
): Promise<void> {
  let failures = 0;
  while (!ports.signal.aborted) {
    await ports.networkUp();
    ports.alarm.clear();
    try {
      await broker.reportUnattested(notice);
      failures = 0;
      ports.dispatch({ type: 'unattested', problem });
      await ports.alarm.wait(REPEAT_MS, ports.signal);
    } catch (error) {
      if (ports.signal.aborted) return;
      failures += 1;
      const waitMs = backOffMs(BROKER_BACK_OFF, failures, ports.random());
      ports.dispatch({ type: 'failed', problem: toProblem(error), retryAtMs: ports.nowMs() + waitMs });
      await ports.alarm.wait(waitMs, ports.signal);
    }
  }
}
