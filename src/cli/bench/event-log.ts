/**
 * Event logs: events a second through parse and replay of every bank on one core, and `attest log` over all files in one
 * call against one `tpm2_eventlog` process for each, in turns on the same machine.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../../scripts/project.ts';
import { nodeAttestCrypto } from '../../attest/crypto/crypto-node.ts';
import { LogError } from '../../attest/event-log/little-endian.ts';
import { parseEventLog } from '../../attest/event-log/parse.ts';
import { replayBank } from '../../attest/event-log/replay.ts';
import { concatBytes } from '../../shared/bytes.ts';
import type { Emit } from './figure.ts';
import { recordedReport } from './verification.ts';

/** Real logs of many machines where they are at hand, else our own recordings. */
const FOLDERS = [join(projectRoot, '../shared/vectors'), join(projectRoot, 'test/fixtures')];
const MEASURE_MS = 2000;
/** Each side keeps its best turn: other work on the machine only ever adds time. */
const TURNS = 7;

export async function benchEventLog(emit: Emit): Promise<void> {
  const files = logFiles(FOLDERS.find((folder) => existsSync(folder)) ?? '');
  const logs = files.map((file) => new Uint8Array(readFileSync(file)));
  emit({ name: 'attest.log.events.per_s', value: eventsPerSecond(logs), unit: 'per_s' });
  emit({ name: 'attest.log.event_in_1mb_vs_24kb', value: await costOfLength(), unit: 'ratio' });
  const ratio = ratioToTpm2Eventlog(files);
  if (ratio === null) console.error('attest.log.vs_tpm2_eventlog is not measured: tpm2_eventlog is not installed');
  else emit({ name: 'attest.log.vs_tpm2_eventlog', value: ratio, unit: 'ratio' });
}

/** Below the folder, what is called a log and can be read as one. */
function logFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.bin'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => {
      try {
        return replayAll(new Uint8Array(readFileSync(file))) > 1;
      } catch (error) {
        if (error instanceof LogError) return false;
        throw error;
      }
    });
}

function replayAll(bytes: Uint8Array): number {
  const log = parseEventLog(bytes, { padding: 'allow' });
  for (const bank of log.banks) replayBank(log, bank, nodeAttestCrypto);
  return log.events.length;
}

function eventsPerSecond(logs: readonly Uint8Array[], forMs = MEASURE_MS): number {
  const round = (): number => logs.reduce((sum, bytes) => sum + replayAll(bytes), 0);
  for (let warmUp = 0; warmUp < 20; warmUp += 1) round();
  let events = 0;
  const startMs = performance.now();
  while (performance.now() - startMs < forMs) events += round();
  return Math.round((events * 1000) / (performance.now() - startMs));
}

/** What an event costs in a log of 1 MB, compared with one of the usual 24 KB: 1 where cost is linear in the length. */
async function costOfLength(): Promise<number> {
  const usual = (await recordedReport('median-p256')).evidence.eventLog;
  const headerBytes = 32 + new DataView(usual.buffer, usual.byteOffset).getUint32(28, true);
  const events = usual.subarray(headerBytes);
  const times = Math.ceil(1_000_000 / events.length);
  const long = concatBytes(usual.subarray(0, headerBytes), ...Array.from({ length: times }, () => events));
  // in turns, so that both meet the same machine
  const rates = Array.from({ length: TURNS }, () => eventsPerSecond([usual], 200) / eventsPerSecond([long], 200));
  return Math.round(100 * (rates.sort((a, b) => a - b)[Math.floor(TURNS / 2)] ?? 0)) / 100;
}

function ratioToTpm2Eventlog(files: readonly string[]): number | null {
  if (spawnSync('tpm2_eventlog', ['--version']).error !== undefined) return null;
  const cpushare = join(projectRoot, 'bin/cpushare.js');
  let oursMs = Number.POSITIVE_INFINITY;
  let theirsMs = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < TURNS; turn += 1) {
    oursMs = Math.min(
      oursMs,
      elapsedMs(() => run(process.execPath, [cpushare, 'attest', 'log', ...files])),
    );
    theirsMs = Math.min(
      theirsMs,
      elapsedMs(() => {
        for (const file of files) run('tpm2_eventlog', [file]);
      }),
    );
  }
  return Math.round((theirsMs / oursMs) * 100) / 100;
}

/** Output is thrown away on both sides. */
function run(program: string, args: readonly string[]): void {
  spawnSync(program, args, { stdio: 'ignore' });
}

function elapsedMs(work: () => void): number {
  const startMs = performance.now();
  work();
  return performance.now() - startMs;
}
