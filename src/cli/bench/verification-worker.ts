/** One thread of several that verify at the same time: says when it is ready, starts when told, answers with its rate. */
import { parentPort, workerData } from 'node:worker_threads';
import { callsPerSecond, type Recording, verification } from './verification.ts';

const { recording, windows } = workerData as { readonly recording: Recording; readonly windows: number };
const verify = await verification(recording, 'witnessed', 'seen');
parentPort?.once('message', () => parentPort?.postMessage(callsPerSecond(verify, windows)));
parentPort?.postMessage('ready');
