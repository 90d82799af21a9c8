/** A broker of our own for this run: `cpushare broker serve` as a child process on loopback. */
import { join } from 'node:path';
import { projectRoot } from '../../../scripts/project.ts';
import { type Child, startChild } from '../../../scripts/run/child.ts';
import { waitFor } from '../../../scripts/run/wait.ts';

export interface BrokerProcess {
  /** https://127.0.0.1:PORT */
  readonly url: string;
  readonly port: number;
  /** SHA-256 of its certificate's key, hex: the pin. */
  readonly brokerId: string;
  readonly process: Child;
  close(): Promise<void>;
}

export interface BrokerOptions {
  readonly dataFolder: string;
  readonly referenceValues: readonly string[];
  readonly trust: readonly string[];
  /** Accepts images for developers. */
  readonly allowDebug?: boolean;
  /** 0: any free port. */
  readonly port: number;
}

const CPUSHARE = join(projectRoot, 'bin/cpushare.js');

export async function startBrokerProcess(options: BrokerOptions): Promise<BrokerProcess> {
  let ready: { url: string; brokerId: string } | undefined;
  const child = await startChild(
    process.execPath,
    [
      CPUSHARE,
      ...['broker', 'serve', '--json'],
      ...['--listen', `127.0.0.1:${options.port}`],
      ...['--data', options.dataFolder],
      ...options.referenceValues.flatMap((file) => ['--reference', file]),
      ...options.trust.flatMap((file) => ['--trust', file]),
      // The demo's TPM is software and says so; a real broker names the classes it accepts.
      ...['--accept-class', 'software'],
      ...(options.allowDebug ? ['--allow-debug'] : []),
    ],
    {
      debianPackage: 'nodejs',
      onLine: (line) => {
        if (line.startsWith('{"url"')) ready = JSON.parse(line) as { url: string; brokerId: string };
      },
    },
  );
  try {
    const { url, brokerId } = await waitFor(() => ready, {
      what: 'starting the broker',
      timeoutMs: 60_000,
      whileRunning: child,
    });
    return { url, brokerId, port: Number(new URL(url).port), process: child, close: () => child.stop(10_000) };
  } catch (error) {
    await child.stop();
    throw error;
  }
}
