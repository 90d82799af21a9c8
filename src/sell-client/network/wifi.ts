/**
 * Joins the radio network of the configuration by iwd, which talks over a message bus of its own; DHCP then finds the
 * card like any other. The key is in iwd's file on tmpfs and nowhere else: not in arguments, environment, log or state.
 */
import { access, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import type { WifiSettings } from '../../protocol/messages.ts';
import { toProblem } from '../agent/problem.ts';
import type { WifiState } from '../agent/state.ts';
import type { Places } from '../places.ts';
import { clientFailed, keyRefused, noCard, notFound, notInImage, refused, type WifiError } from './wifi-errors.ts';
import { type WifiProgress, wifiProgress } from './wifi-events.ts';
import { wifiProfile } from './wifi-profile.ts';

export interface WifiPorts {
  readonly places: Pick<Places, 'sys' | 'wifiDaemon' | 'messageBus' | 'wifiFolder'>;
  onChange(wifi: WifiState): void;
  /** Resolves after `ms` or when the program ends. */
  pause(ms: number): Promise<void>;
  nowMs(): number;
  readonly signal: AbortSignal;
}

const RESTART_MS = 5000;
/** iwd asks nobody twice after a refused key; a router that was just starting deserves another try. */
const REFUSED_RETRY_MS = 60_000;
/** A card's driver and firmware, then a full scan of all channels, take this long at most. */
const PATIENCE_MS = 30_000;
const WATCH_MS = 1000;

/** Whether this image can do it at all. */
export function hasWifi({ wifiDaemon }: WifiPorts['places']): Promise<boolean> {
  return exists(wifiDaemon);
}

/** Runs until `signal`. Never throws: what goes wrong is shown, and tried again where that can help. */
export async function keepWifi(settings: WifiSettings, ports: WifiPorts): Promise<void> {
  const { places, onChange, pause, signal } = ports;
  const fail = (error: unknown) => onChange({ kind: 'failed', problem: toProblem(error) });
  if (!(await hasWifi(places))) return fail(notInImage());
  onChange({ kind: 'starting' });
  while (!signal.aborted) {
    try {
      await writeProfile(settings, places.wifiFolder);
      await pause(await runDaemons(ports));
    } catch (error) {
      if (signal.aborted) return;
      fail(error);
      await pause(RESTART_MS);
    }
  }
}

async function writeProfile(settings: WifiSettings, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { fileName, content } = wifiProfile(settings);
  await writeFile(join(folder, fileName), content, { mode: 0o600 });
}

/** Resolves, with how long to wait, when iwd is worth starting anew. @throws WifiError when one of the two ends by itself */
async function runDaemons(ports: WifiPorts): Promise<number> {
  const { messageBus, wifiDaemon, wifiFolder } = ports.places;
  const round = new AbortController();
  const cancelSignal = AbortSignal.any([round.signal, ports.signal]);
  const options = { reject: false, stdin: 'ignore', cancelSignal, all: true, buffer: false } as const;
  try {
    await rm(messageBus.socket, { force: true });
    await mkdir(dirname(messageBus.socket), { recursive: true });
    const bus = execa(messageBus.program, [`--config-file=${messageBus.configuration}`, '--nofork', '--nopidfile'], {
      ...options,
    });
    const busEnded = lastLine(bus.all, () => undefined).then((line) => ended('the message bus', line));
    await Promise.race([busEnded, socketThere(messageBus.socket, ports)]);
    const daemon = execa(wifiDaemon, [], {
      ...options,
      env: { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${messageBus.socket}`, STATE_DIRECTORY: wifiFolder },
    });
    const progress = follow(ports);
    const daemonEnded = lastLine(daemon.all, progress.line).then((line) => ended('the Wi-Fi client', line));
    return await Promise.race([busEnded, daemonEnded, progress.refused()]);
  } finally {
    round.abort();
  }
}

function ended(what: string, line: string): never {
  throw clientFailed(what, line);
}

/** Hands on each line as it comes; resolves with the last one when the program has ended. */
async function lastLine(output: NodeJS.ReadableStream, hear: (line: string) => void): Promise<string> {
  let last = '';
  for await (const line of createInterface({ input: output })) {
    last = line.trim() || last;
    hear(line);
  }
  return last;
}

async function socketThere(path: string, { pause, signal }: WifiPorts): Promise<void> {
  while (!signal.aborted && !(await exists(path))) await pause(50);
}

/** Shows what iwd says, and what its silence means. */
function follow({ places, onChange, pause, nowMs, signal }: WifiPorts) {
  let now: WifiProgress = { kind: 'searching' };
  let sinceMs = nowMs();
  let shown = '';
  const show = (wifi: WifiState) => {
    if (JSON.stringify(wifi) !== shown) onChange(wifi);
    shown = JSON.stringify(wifi);
  };
  return {
    line: (line: string) => {
      const progress = wifiProgress(line, now.kind);
      if (progress === null) return;
      if (progress.kind !== now.kind) sinceMs = nowMs();
      now = progress;
    },
    refused: async () => {
      while (!signal.aborted) {
        show(await shownAs(now, nowMs() - sinceMs, places.sys));
        if (now.kind === 'key-refused') return REFUSED_RETRY_MS;
        await pause(WATCH_MS);
      }
      return 0;
    },
  };
}

async function shownAs(now: WifiProgress, forMs: number, sys: string): Promise<WifiState> {
  const failed = (error: WifiError): WifiState => ({ kind: 'failed', problem: toProblem(error) });
  switch (now.kind) {
    case 'connected':
    case 'connecting':
      return { kind: now.kind };
    case 'key-refused':
      return failed(keyRefused());
    case 'refused':
      return failed(refused(now.detail));
    case 'searching':
      if (forMs < PATIENCE_MS) return { kind: 'searching' };
      return failed((await readdir(`${sys}/class/ieee80211`).catch(() => [])).length > 0 ? notFound() : noCard());
    default:
      return now satisfies never;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
