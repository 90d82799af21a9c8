/** The facts below the headline, one line each, in the seller's words. */
import {
  type AgentState,
  type AttestationState,
  isAttested,
  type NetworkState,
  type WifiState,
} from '../agent/state.ts';
import { driverlessWords, shownDriverless } from './driverless.ts';
import { COLUMNS, duration, shortened } from './rows.ts';

const LABEL_COLUMNS = 16;

export function factLines(state: AgentState, nowMs: number, columns = COLUMNS): string[] {
  return facts(state, nowMs).map(([name, value]) => fact(name, value, columns));
}

export function fact(name: string, value: string, columns = COLUMNS): string {
  const label = `  ${name}`.padEnd(LABEL_COLUMNS);
  return label + shortened(value, columns - label.length);
}

function facts(state: AgentState, nowMs: number): [string, string][] {
  return [
    ['Network', network(state.network, state.wifi)],
    ...driverless(state),
    ['Broker', broker(state)],
    ['Account', account(state)],
    ['Attestation', attestation(state, nowMs)],
    ['TPM', `${tpm(state)}; Secure Boot ${secureBoot(state)}`],
    ['Accelerator', accelerator(state)],
    ['Tier', tier(state, nowMs)],
    ['Work', 'none: this release has no market yet'],
    ['Earnings', 'none yet'],
    ...checks(state),
  ];
}

function network(now: NetworkState, wifi: WifiState): string {
  switch (now.kind) {
    case 'up':
      return `${now.addresses.map((one) => `${one.address} (${one.interface})`).join(', ')}, link is up`;
    case 'searching':
      return 'looking for a network card';
    case 'no-card':
      return 'no card';
    case 'no-link':
      return withoutCable(now.cards, wifi);
    case 'no-address':
      return `cable in, asking for an address (${now.cards.join(', ')})`;
    default:
      return now satisfies never;
  }
}

function withoutCable(cards: readonly string[], wifi: WifiState): string {
  switch (wifi.kind) {
    case 'unused':
    case 'unconfigured':
      return `no cable in ${cards.join(', ')}`;
    case 'starting':
    case 'searching':
      return 'no cable; looking for the Wi-Fi network';
    case 'connecting':
      return 'no cable; joining the Wi-Fi network';
    case 'connected':
      return 'Wi-Fi connected, asking for an address';
    case 'failed':
      return 'no cable, no Wi-Fi';
    default:
      return wifi satisfies never;
  }
}

function broker({ configuration }: AgentState): string {
  if (configuration.kind === 'loaded') return `${configuration.broker} (from ${configuration.source})`;
  return { searching: 'looking for a volume labelled CPUSHARE', missing: 'none given', rejected: 'cannot be read' }[
    configuration.kind
  ];
}

export function account({ pairing, tpm }: AgentState): string {
  switch (pairing.kind) {
    case 'unknown':
      return pairing.problem === undefined ? 'not known yet' : `not known: ${pairing.problem.message}`;
    case 'waiting':
      return `not paired; code ${pairing.userCode} at ${pairing.verificationUri}`;
    case 'denied':
      return 'not paired: refused';
    case 'paired':
      if (pairing.lasting) return `${pairing.account} (kept by the TPM: paired once)`;
      return `${pairing.account}, until it is switched off${tpm.kind === 'absent' ? ' (no TPM)' : ''}`;
    default:
      return pairing satisfies never;
  }
}

function tpm(state: AgentState): string {
  switch (state.tpm.kind) {
    case 'searching':
      return 'looking for it';
    case 'present':
      return `TPM 2.0 by ${state.tpm.manufacturer}, ${state.tpm.keys} keys`;
    case 'absent':
      return 'none';
    case 'failed':
      return 'found, but it does not work';
    default:
      return state.tpm satisfies never;
  }
}

function secureBoot({ platform }: AgentState): string {
  if (platform === null) return 'not known yet';
  if (platform.bootMode === 'bios') return 'no: started in legacy BIOS mode';
  if (platform.secureBoot === null) return 'not known';
  return platform.secureBoot ? 'on' : 'off';
}

function accelerator({ accelerator: result }: AgentState): string {
  if (result === null) return 'running a test guest';
  if (result.name === 'unknown') return `none: ${result.reason}`;
  if (result.name === 'tcg') return `none (software emulation): ${result.reason}`;
  return `${result.name}: ${result.reason}`;
}

/** What a buyer would see this machine as: how far it is proven, and how fast and safe its guests run. */
function tier(state: AgentState, nowMs: number): string {
  const trust = isAttested(state, nowMs) ? 'attested' : 'not attested';
  if (state.accelerator === null) return `${trust}, speed not known yet`;
  if (state.accelerator.name === 'unknown') return `${trust}, cannot run guests`;
  if (state.accelerator.name === 'tcg') return `${trust}, emulated: slow, the lowest tier`;
  return `${trust}, full speed`;
}

function attestation(state: AgentState, nowMs: number): string {
  const now: AttestationState = state.attestation;
  switch (now.kind) {
    case 'starting':
      return 'not yet';
    case 'enrolling':
      return 'introducing this machine to the broker';
    case 'quoting':
      return `machine ${now.machineId.slice(0, 8)}: being verified`;
    case 'accepted':
      if (!isAttested(state, nowMs)) return `no longer current: last accepted ${duration(nowMs - now.lastMs)} ago`;
      return `ATTESTED for ${duration(nowMs - now.sinceMs)}, machine ${now.machineId.slice(0, 8)}`;
    case 'refused':
      return `REFUSED, unattested for ${duration(nowMs - now.sinceMs)}, machine ${now.machineId.slice(0, 8)}`;
    case 'unattested':
      return 'UNATTESTED: this machine cannot be attested';
    default:
      return now satisfies never;
  }
}

/** Without any card the headline names them. */
function driverless(state: AgentState): [string, string][] {
  const devices = shownDriverless(state);
  return devices.length === 0 || state.network.kind === 'no-card' ? [] : [['No driver', driverlessWords(devices)]];
}

/** Nothing until the first: a line of zeros tells the seller nothing. */
function checks({ checks: { answering, answered } }: AgentState): [string, string][] {
  if (!answering && answered === 0) return [];
  const count = answered === 1 ? '1 check answered' : `${answered} checks answered`;
  return [['Buyers', answering ? `answering a buyer's check (${count})` : count]];
}
