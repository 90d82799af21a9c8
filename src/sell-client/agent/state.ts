/**
 * What the sell client knows and shows: one value, changed only by `next`. Times are milliseconds of the machine's
 * uptime, since its wall clock may be wrong.
 */

import type { DriverlessDevice } from '../hardware/driverless.ts';
import type { MemoryUse } from '../hardware/memory.ts';

/** A failure as the seller reads it. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly nextStep: string | undefined;
}

export interface Address {
  readonly interface: string;
  readonly address: string;
}

export interface AcceleratorAttempt {
  readonly name: 'kvm' | 'kqemu' | 'tcg';
  readonly ran: boolean;
  readonly reason: string;
}

export interface AcceleratorResult {
  readonly name: 'kvm' | 'kqemu' | 'tcg' | 'unknown';
  readonly reason: string;
  readonly tried: readonly AcceleratorAttempt[];
}

export type TpmState =
  | { readonly kind: 'searching' }
  | { readonly kind: 'present'; readonly manufacturer: string; readonly keys: 'ECC P-256' | 'RSA-2048' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly problem: Problem };

export type NetworkState =
  | { readonly kind: 'searching' }
  | { readonly kind: 'no-card' }
  | { readonly kind: 'no-link'; readonly cards: readonly string[] }
  | { readonly kind: 'no-address'; readonly cards: readonly string[] }
  | { readonly kind: 'up'; readonly addresses: readonly Address[] };

/** Of the radio network that the configuration names; neither its name nor its key is kept here. */
export type WifiState =
  /** The image has no Wi-Fi, or nothing is known yet. */
  | { readonly kind: 'unused' }
  /** The image has Wi-Fi, and no configuration asked for it. */
  | { readonly kind: 'unconfigured' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'searching' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected' }
  | { readonly kind: 'failed'; readonly problem: Problem };

export type ConfigurationState =
  | { readonly kind: 'searching' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'rejected'; readonly problem: Problem }
  | { readonly kind: 'loaded'; readonly broker: string; readonly source: string };

/** `accepted` is reached by an accepted answer of the broker and by nothing else. */
export type AttestationState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'enrolling' }
  | { readonly kind: 'quoting'; readonly machineId: string }
  | {
      readonly kind: 'accepted';
      readonly machineId: string;
      readonly sinceMs: number;
      readonly lastMs: number;
      readonly freshUntilMs: number;
    }
  | { readonly kind: 'refused'; readonly machineId: string; readonly sinceMs: number; readonly problem: Problem }
  | { readonly kind: 'unattested'; readonly problem: Problem };

/** Whose machine this is at the broker (RFC 8628). Times are the machine's uptime. */
export type PairingState =
  /** Not asked yet, or asked without an answer. */
  | { readonly kind: 'unknown'; readonly problem?: Problem }
  | {
      readonly kind: 'waiting';
      /** XXXX-XXXX */
      readonly userCode: string;
      readonly verificationUri: string;
      /** With the code in it, for the QR code. */
      readonly verificationUriComplete: string;
      readonly expiresAtMs: number;
    }
  /** A person said no on the broker's page; a new code comes at `nextAtMs`. */
  | { readonly kind: 'denied'; readonly nextAtMs: number }
  /** `lasting`: the broker knows this machine again by its TPM; else only until it is switched off. */
  | { readonly kind: 'paired'; readonly account: string; readonly lasting: boolean };

export interface AgentState {
  readonly platform: { readonly bootMode: 'uefi' | 'bios'; readonly secureBoot: boolean | null } | null;
  readonly network: NetworkState;
  /** Network devices that no driver of this image takes. */
  readonly driverless: readonly DriverlessDevice[];
  readonly wifi: WifiState;
  readonly configuration: ConfigurationState;
  readonly tpm: TpmState;
  readonly accelerator: AcceleratorResult | null;
  /** No driver and no device is taken any more. */
  readonly closed: boolean;
  readonly attestation: AttestationState;
  readonly pairing: PairingState;
  /** Checks that buyers ask for through the broker: whether one is being answered, and how many were. */
  readonly checks: { readonly answering: boolean; readonly answered: number };
  /** Of the machine's memory, measured after each verdict: what is left to sell depends on it. */
  readonly memory: MemoryUse | null;
  /** The kernel's words where the machine's last run ended in a panic. */
  readonly lastPanic: string | null;
  /** What keeps the agent from its work right now, and when it tries again. */
  readonly problem: { readonly problem: Problem; readonly retryAtMs: number } | null;
}

export type AgentEvent =
  | { readonly type: 'platform'; readonly bootMode: 'uefi' | 'bios'; readonly secureBoot: boolean | null }
  | { readonly type: 'network'; readonly network: NetworkState }
  | { readonly type: 'driverless'; readonly devices: readonly DriverlessDevice[] }
  | { readonly type: 'wifi'; readonly wifi: WifiState }
  | { readonly type: 'configuration'; readonly configuration: ConfigurationState }
  | { readonly type: 'tpm'; readonly tpm: TpmState }
  | { readonly type: 'accelerator'; readonly result: AcceleratorResult }
  | { readonly type: 'closed' }
  | { readonly type: 'enrolling' }
  | { readonly type: 'enrolled'; readonly machineId: string }
  | {
      readonly type: 'accepted';
      readonly machineId: string;
      readonly atMs: number;
      readonly nextAttestationMs: number;
    }
  | { readonly type: 'refused'; readonly machineId: string; readonly atMs: number; readonly problem: Problem }
  | { readonly type: 'unattested'; readonly problem: Problem }
  | { readonly type: 'pairing'; readonly pairing: PairingState }
  | { readonly type: 'check-begun' }
  | { readonly type: 'check-ended'; readonly answered: boolean }
  | { readonly type: 'memory'; readonly use: MemoryUse }
  | { readonly type: 'last-panic'; readonly reason: string }
  | { readonly type: 'machine-unknown' }
  | { readonly type: 'failed'; readonly problem: Problem; readonly retryAtMs: number };

export const initialState: AgentState = {
  platform: null,
  network: { kind: 'searching' },
  driverless: [],
  wifi: { kind: 'unused' },
  configuration: { kind: 'searching' },
  tpm: { kind: 'searching' },
  accelerator: null,
  closed: false,
  attestation: { kind: 'starting' },
  pairing: { kind: 'unknown' },
  checks: { answering: false, answered: 0 },
  memory: null,
  lastPanic: null,
  problem: null,
};

/** An accepted quote is shown as current for twice the interval that the broker asked for. */
const FRESH_INTERVALS = 2;

export function next(state: AgentState, event: AgentEvent): AgentState {
  switch (event.type) {
    case 'platform':
      return { ...state, platform: { bootMode: event.bootMode, secureBoot: event.secureBoot } };
    case 'network':
      return { ...state, network: event.network };
    case 'driverless':
      return { ...state, driverless: event.devices };
    case 'wifi':
      return { ...state, wifi: event.wifi };
    case 'configuration':
      return { ...state, configuration: event.configuration };
    case 'tpm':
      return { ...state, tpm: event.tpm };
    case 'accelerator':
      return { ...state, accelerator: event.result };
    case 'closed':
      return { ...state, closed: true };
    case 'enrolling':
      return { ...state, attestation: { kind: 'enrolling' } };
    case 'enrolled':
      return { ...state, attestation: { kind: 'quoting', machineId: event.machineId }, problem: null };
    case 'accepted':
      return { ...state, attestation: accepted(state.attestation, event), problem: null };
    case 'refused':
      return { ...state, attestation: refused(state.attestation, event), problem: null };
    case 'unattested':
      return { ...state, attestation: { kind: 'unattested', problem: event.problem }, problem: null };
    case 'pairing':
      return { ...state, pairing: event.pairing };
    case 'check-begun':
      return { ...state, checks: { ...state.checks, answering: true } };
    case 'check-ended':
      return { ...state, checks: { answering: false, answered: state.checks.answered + (event.answered ? 1 : 0) } };
    case 'memory':
      return { ...state, memory: event.use };
    case 'last-panic':
      return { ...state, lastPanic: event.reason };
    case 'machine-unknown':
      return { ...state, attestation: { kind: 'starting' } };
    case 'failed':
      return { ...state, problem: { problem: event.problem, retryAtMs: event.retryAtMs } };
    default:
      return event satisfies never;
  }
}

/** The machine's id at the broker, from its enrolment until the broker has forgotten it. */
export function machineIdOf(state: AgentState): string | null {
  return 'machineId' in state.attestation ? state.attestation.machineId : null;
}

/** Attested now: the broker's last word was `accepted` and it has not gone stale. */
export function isAttested(state: AgentState, nowMs: number): boolean {
  return state.attestation.kind === 'accepted' && nowMs <= state.attestation.freshUntilMs;
}

function accepted(before: AttestationState, event: AgentEvent & { type: 'accepted' }): AttestationState {
  const unbroken = before.kind === 'accepted' && event.atMs <= before.freshUntilMs;
  return {
    kind: 'accepted',
    machineId: event.machineId,
    sinceMs: unbroken ? before.sinceMs : event.atMs,
    lastMs: event.atMs,
    freshUntilMs: event.atMs + FRESH_INTERVALS * event.nextAttestationMs,
  };
}

function refused(before: AttestationState, event: AgentEvent & { type: 'refused' }): AttestationState {
  const same = before.kind === 'refused' && before.problem.code === event.problem.code;
  return {
    kind: 'refused',
    machineId: event.machineId,
    sinceMs: same ? before.sinceMs : event.atMs,
    problem: event.problem,
  };
}
