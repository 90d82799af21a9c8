/** The sell client of the live image: all wiring, no rules. init starts it again whenever it ends. */
import { readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { describeError } from '../shared/errors.ts';
import { PROBE_TIMEOUTS_MS, probeAccelerators } from './accelerator/probe.ts';
import { toProblem } from './agent/problem.ts';
import { runAgent } from './agent/run-agent.ts';
import type { WifiState } from './agent/state.ts';
import { createStore } from './agent/store.ts';
import { createGuard, OpenMachineError, RESTART_STATUS } from './closed/guard.ts';
import { type DriverlessDevice, findDriverless } from './hardware/driverless.ts';
import { takeLastPanic } from './hardware/last-panic.ts';
import { loadDrivers, loadModules } from './hardware/modalias.ts';
import { readPlatform } from './hardware/platform.ts';
import { runDhcp } from './network/dhcp.ts';
import { watchNetwork } from './network/watch-network.ts';
import { hasWifi, keepWifi } from './network/wifi.ts';
import { pairForever } from './pairing/pair-loop.ts';
import { LIVE_PLACES as places } from './places.ts';
import { openConsoles } from './screen/consoles.ts';
import { findTpm } from './tpm/find-tpm.ts';

const SCREEN_MS = 1000;
const HARDWARE_SETTLING_MS = 250;
const HARDWARE_SETTLED_MS = 3000;
/** A driver that was just loaded may still be taking its device. */
const DRIVERLESS_MS = 1000;
const DHCP_RESTART_MS = 5000;
const CLOSED_CHECK_MS = 60_000;
/** As long as PID 1 leaves its own failures on the screen. */
const LAST_WORDS_MS = 20_000;

const ending = new AbortController();
const { signal } = ending;
let asked = false;
for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.once(name, () => {
    asked = true;
    ending.abort();
  });
}

interface ImageFacts {
  readonly name: string;
  readonly version: string;
  readonly commandLine: string;
  readonly debug: boolean;
}

async function main(): Promise<void> {
  const image = JSON.parse(await readFile(places.imageFacts, 'utf8')) as ImageFacts;
  const store = createStore();
  const displays = await openConsoles(`${places.sys}/class/tty/console/active`, {
    title: `${image.name} ${image.version}`,
    debug: image.debug,
  });
  const show = () => {
    for (const display of displays) display.show(store.state(), nowMs());
  };
  store.subscribe(show);
  const clock = setInterval(show, SCREEN_MS);

  const guard = await createGuard({ places, commandLine: image.commandLine, loadModules });
  await guard.check().catch((error: unknown) => lastWords(error, store.dispatch));
  const platform = await readPlatform(places);
  store.dispatch({ type: 'platform', bootMode: platform.bootMode, secureBoot: platform.secureBoot });
  if (await hasWifi(places)) store.dispatch({ type: 'wifi', wifi: { kind: 'unconfigured' } });

  const seen = new Set<string>();
  let cardsLookedFor = false;
  let settled = () => {};
  const drivesSettled = new Promise<void>((resolve) => {
    settled = resolve;
  });
  const background = [
    keepClosed(guard.check).catch((error: unknown) => lastWords(error, store.dispatch)),
    keepDhcp(store.dispatch),
    watchNetwork(places.resolvConf, {
      onChange: (network) => store.dispatch({ type: 'network', network }),
      cardsLookedFor: () => cardsLookedFor,
      pause,
      nowMs,
      signal,
    }),
    loadDrivers(places.sys, seen).then(async () => {
      const probe = {
        qemu: places.qemu,
        temporaryFolder: places.temporaryFolder,
        timeoutMs: PROBE_TIMEOUTS_MS,
        signal,
      };
      await Promise.all([
        keepLoadingDrivers(seen, settled, (devices) => {
          // A machine whose card has no driver is told so, and not that it has no card.
          if (devices !== null) store.dispatch({ type: 'driverless', devices });
          cardsLookedFor = true;
        }),
        probeAccelerators(probe).then((result) => store.dispatch({ type: 'accelerator', result })),
        tellLastPanic(store.dispatch),
      ]);
    }),
  ];
  const agent = runAgent({
    store,
    places,
    platform,
    clientVersion: image.version,
    openTpm: () => findTpm(places.tpmDevice, pause),
    nowMs,
    random: Math.random,
    pause,
    drivesSettled,
    useWifi: (settings) => {
      if (settings !== undefined) void keepWifi(settings, wifiPorts(store.dispatch));
    },
    pair: pairForever,
    closeMachine: () =>
      loadDrivers(places.sys, seen)
        .then(guard.close)
        .catch((error: unknown) => lastWords(error, store.dispatch)),
    signal,
  });
  // The first failure that nobody handled ends the program; init starts it anew.
  await Promise.all([agent, ...background]).finally(() => {
    ending.abort();
    clearInterval(clock);
    for (const display of displays) display.close();
  });
}

async function keepClosed(check: () => Promise<void>): Promise<void> {
  for (; !signal.aborted; await pause(CLOSED_CHECK_MS)) await check();
}

/** Everything stops, a person can read why, and PID 1 does the rest. */
async function lastWords(error: unknown, dispatch: ReturnType<typeof createStore>['dispatch']): Promise<never> {
  ending.abort();
  dispatch({ type: 'failed', problem: toProblem(error), retryAtMs: nowMs() + LAST_WORDS_MS });
  await delay(LAST_WORDS_MS);
  throw error;
}

async function tellLastPanic(dispatch: ReturnType<typeof createStore>['dispatch']): Promise<void> {
  const panic = await takeLastPanic(places.pstore, release());
  if (panic !== null) dispatch({ type: 'last-panic', reason: panic.reason });
}

async function keepDhcp(dispatch: ReturnType<typeof createStore>['dispatch']): Promise<void> {
  while (!signal.aborted) {
    await runDhcp(signal).catch((error: unknown) => {
      dispatch({ type: 'failed', problem: toProblem(error), retryAtMs: nowMs() + DHCP_RESTART_MS });
    });
    await pause(DHCP_RESTART_MS);
  }
}

function wifiPorts(dispatch: ReturnType<typeof createStore>['dispatch']) {
  return { places, onChange: (wifi: WifiState) => dispatch({ type: 'wifi', wifi }), pause, nowMs, signal };
}

/**
 * `settled` is called when no driver was asked for in some seconds, as a stick's does that late; `looked` after each look for
 * devices without a driver, with null where they are those of before.
 */
async function keepLoadingDrivers(
  seen: Set<string>,
  settled: () => void,
  looked: (driverless: readonly DriverlessDevice[] | null) => void,
): Promise<void> {
  let told = '[]';
  for (let quietMs = HARDWARE_SETTLING_MS; !signal.aborted; quietMs = Math.min(2 * quietMs, HARDWARE_SETTLED_MS)) {
    const fresh = await loadDrivers(places.sys, seen);
    if (fresh > 0) quietMs = HARDWARE_SETTLING_MS;
    else if (quietMs === HARDWARE_SETTLED_MS) settled();
    if (quietMs >= DRIVERLESS_MS) {
      const devices = await findDriverless(places.sys);
      looked(JSON.stringify(devices) === told ? null : devices);
      told = JSON.stringify(devices);
    }
    await pause(quietMs);
  }
}

/** Milliseconds since the kernel started. */
function nowMs(): number {
  return Math.round(Number(process.hrtime.bigint() / 1_000_000n));
}

async function pause(ms: number): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

main().catch((error: unknown) => {
  if (error instanceof OpenMachineError) {
    // At once: what else still runs is over with this machine.
    process.exit(RESTART_STATUS);
  }
  if (asked) return;
  console.error(`cpushare: error=CLIENT_FAULT detail="${describeError(error).replace(/\n/g, '; ')}"`);
  process.exitCode = 1;
});
