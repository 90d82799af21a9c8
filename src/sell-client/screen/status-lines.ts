/**
 * The same knowledge for a serial console or a log: one line for each fact that changed, `cpushare: key=value …`.
 * Values with spaces are in double quotes; the keys are stable, the words in quotes are for people.
 */
import type { AgentState, Problem } from '../agent/state.ts';
import type { MemoryUse } from '../hardware/memory.ts';
import { problems } from './problems.ts';

/** Every fact as one line; a change of state prints the lines that were not there before. */
export function statusLines(state: AgentState): string[] {
  const lines: string[] = [];
  const { platform, network, tpm, configuration, accelerator, attestation } = state;
  if (platform !== null) lines.push(`boot=${platform.bootMode} secure-boot=${platform.secureBoot ?? 'unknown'}`);
  if (network.kind === 'up') lines.push(`network=up address=${network.addresses.map((one) => one.address).join(',')}`);
  else lines.push(`network=${network.kind}`);
  for (const { what, bus, id, slot } of state.driverless)
    lines.push(`no-driver=${id} bus=${bus} slot=${slot} what=${what}`);
  if (state.wifi.kind !== 'unused') lines.push(`wifi=${state.wifi.kind}`);
  if (tpm.kind === 'present')
    lines.push(`tpm=present manufacturer=${quoted(tpm.manufacturer)} keys=${quoted(tpm.keys)}`);
  else lines.push(`tpm=${tpm.kind}`);
  if (configuration.kind === 'loaded')
    lines.push(`configuration=loaded broker=${configuration.broker} source=${quoted(configuration.source)}`);
  else lines.push(`configuration=${configuration.kind}`);
  if (accelerator !== null) lines.push(`accelerator=${accelerator.name} reason=${quoted(accelerator.reason)}`);
  if (state.closed) lines.push('closed=yes');
  if (attestation.kind === 'accepted')
    lines.push(`attestation=accepted machine=${attestation.machineId} at-ms=${attestation.lastMs}`);
  else if (attestation.kind === 'refused') {
    lines.push(`attestation=refused machine=${attestation.machineId} code=${attestation.problem.code}`);
  } else lines.push(`attestation=${attestation.kind}`);
  const { pairing } = state;
  if (pairing.kind === 'waiting') lines.push(`pairing=waiting code=${pairing.userCode} url=${pairing.verificationUri}`);
  else if (pairing.kind === 'paired') lines.push(`pairing=paired account=${quoted(pairing.account)}`);
  else if (pairing.kind === 'denied') lines.push('pairing=denied');
  else if (pairing.problem !== undefined) {
    lines.push(`pairing=unknown code=${pairing.problem.code} detail=${quoted(pairing.problem.message)}`);
  }
  const { answering, answered } = state.checks;
  if (answering) lines.push('buyer-check=answering');
  if (answered > 0) lines.push(`buyer-checks answered=${answered}`);
  if (state.memory !== null) lines.push(memoryLine(state.memory));
  for (const found of problems(state)) lines.push(problemLine(found));
  if (state.problem !== null) lines.push(problemLine(state.problem.problem));
  return lines.map((line) => `cpushare: ${line.replace(/[^\x20-\x7e]/g, '?')}`);
}

export function newLines(before: readonly string[], after: readonly string[]): string[] {
  return after.filter((line) => !before.includes(line));
}

function memoryLine({ usedBytes, parts }: MemoryUse): string {
  const each = Object.entries(parts).map(([name, bytes]) => `${name}-bytes=${bytes}`);
  return [`memory used-bytes=${usedBytes}`, ...each].join(' ');
}

function problemLine(found: Problem): string {
  const next = found.nextStep === undefined ? '' : ` next=${quoted(found.nextStep)}`;
  return `error=${found.code} detail=${quoted(found.message)}${next}`;
}

function quoted(text: string): string {
  return `"${text.replace(/"/g, "'")}"`;
}
