/** Full verifications a second: one core, both cores, and of machines that were seen before. */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { nodeAttestCrypto, rememberingNodeCrypto } from '../../attest/crypto-node.ts';
import type { Emit } from './figure.ts';
import { callsPerSecond, type Recording, verification } from './verification.ts';

const MEASURE_MS = 4000;

export async function benchAttestation(emit: Emit): Promise<void> {
  for (const recording of ['p256', 'rsa2048'] as const) {
    const name = `attest.verify.${recording}`;
    const value = callsPerSecond(await verification(recording, nodeAttestCrypto), MEASURE_MS);
    emit({ name: `${name}.per_s`, value: Math.round(value), unit: 'per_s' });
    // a broker's case: it remembers the keys of the machines that come again
    const known = callsPerSecond(await verification(recording, rememberingNodeCrypto(100)), MEASURE_MS);
    emit({ name: `${name}.known_machine.per_s`, value: Math.round(known), unit: 'per_s' });
  }
  const threads = availableParallelism();
  const [alone, together] = [await inThreads('p256', 1), await inThreads('p256', threads)];
  emit({ name: 'attest.verify.p256.threads', value: threads, unit: 'count' });
  emit({ name: 'attest.verify.p256.all_threads.per_s', value: Math.round(together), unit: 'per_s' });
  emit({ name: 'attest.verify.p256.scaling', value: Math.round((together / alone) * 100) / 100, unit: 'ratio' });
}

/** The sum over `count` threads that run at the same time. */
async function inThreads(recording: Recording, count: number): Promise<number> {
  const workers = Array.from({ length: count }, () => {
    const workerData = { recording, forMs: MEASURE_MS };
    return new Worker(new URL('./verification-worker.js', import.meta.url), { workerData });
  });
  try {
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    const rates = workers.map(async (worker) => {
      const [rate] = await once(worker, 'message');
      return rate as number;
    });
    for (const worker of workers) worker.postMessage('start');
    return (await Promise.all(rates)).reduce((sum, rate) => sum + rate, 0);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
