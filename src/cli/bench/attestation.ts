/** Full verifications a second of reports with a log of median size: in one thread, in all, of machines seen before or not. */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Emit } from './figure.ts';
import {
  type Activation,
  callsPerSecond,
  type Machines,
  type Rate,
  type Recording,
  verification,
} from './verification.ts';

const WINDOWS = 8;

export async function benchAttestation(emit: Emit): Promise<void> {
  for (const recording of ['median-p256', 'median-rsa2048'] as const) {
    const name = `attest.verify.${recording.slice('median-'.length)}`;
    const measure = async (suffix: string, activation: Activation, machines: Machines): Promise<void> => {
      const { best } = callsPerSecond(await verification(recording, activation, machines), WINDOWS);
      emit({ name: `${name}${suffix}.per_s`, value: Math.round(best), unit: 'per_s' });
    };
    // as the broker judges: activation witnessed, keys and EK certificates of machines that come again read before; every
    // signature, hash and rule is checked each time
    await measure('', 'witnessed', 'seen');
    await measure('.first_seen', 'witnessed', 'new');
    await measure('.third_party', 'transcript', 'new');
  }
  const threads = availableParallelism();
  const [alone, together] = [await inThreads('median-p256', 1), await inThreads('median-p256', threads)];
  emit({ name: 'attest.verify.p256.threads', value: threads, unit: 'count' });
  emit({ name: 'attest.verify.p256.all_threads.per_s', value: Math.round(together), unit: 'per_s' });
  emit({ name: 'attest.verify.p256.scaling', value: Math.round((together / alone) * 100) / 100, unit: 'ratio' });
}

/** The sum over `count` threads that run at the same time, of what each does on average: the best moments of one cost the other. */
async function inThreads(recording: Recording, count: number): Promise<number> {
  const workers = Array.from({ length: count }, () => {
    const workerData = { recording, windows: WINDOWS };
    return new Worker(new URL('./verification-worker.js', import.meta.url), { workerData });
  });
  try {
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    const rates = workers.map(async (worker) => {
      const [rate] = await once(worker, 'message');
      return (rate as Rate).mean;
    });
    for (const worker of workers) worker.postMessage('start');
    return (await Promise.all(rates)).reduce((sum, rate) => sum + rate, 0);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
