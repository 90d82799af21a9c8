/** The screen as 25 lines of at most 80 ASCII characters: a pure function of what is known. */
import { type AgentState, type AttestationState, isAttested, type NetworkState, type Problem } from '../agent/state.ts';

export const COLUMNS = 80;
export const ROWS = 25;

export interface ScreenFacts {
  readonly title: string;
  readonly nowMs: number;
}

export function renderScreen(state: AgentState, facts: ScreenFacts): string[] {
  const lines = [
    facts.title,
    '='.repeat(COLUMNS),
    '',
    field('Address', address(state.network)),
    field('TPM', tpm(state)),
    field('Secure Boot', secureBoot(state)),
    field('Accelerator', accelerator(state)),
    field('Broker', broker(state)),
    '',
    field('Attestation', attestation(state, facts.nowMs)),
    ...checks(state),
    '',
    ...wrapped(currentProblems(state, facts.nowMs)),
  ].slice(0, ROWS - 2);
  while (lines.length < ROWS - 2) lines.push('');
  lines.push(
    '-'.repeat(COLUMNS),
    `Running for ${duration(facts.nowMs)}. To stop: switch the machine off. Nothing is stored on it.`,
  );
  return lines.map((line) => printable(line).slice(0, COLUMNS).padEnd(COLUMNS));
}

/** Problems that the seller can act on, the most basic first: without a network nothing else matters. */
export function problems(state: AgentState): Problem[] {
  const found: Problem[] = [];
  if (state.network.kind === 'no-card') {
    found.push(
      problem('NETWORK_NO_CARD', 'no wired network card was found', 'plug in a wired card; WiFi is not supported yet'),
    );
  }
  if (state.network.kind === 'no-link') {
    found.push(problem('NETWORK_NO_LINK', 'no network cable is connected', 'plug in a cable to your router'));
  }
  if (state.network.kind === 'no-address') {
    found.push(problem('NETWORK_NO_ADDRESS', 'the network gave no address', 'check that DHCP is on in your router'));
  }
  if (state.configuration.kind === 'missing') {
    found.push(
      problem(
        'CONFIGURATION_MISSING',
        'no volume labelled CPUSHARE was found, and no configuration in SMBIOS',
        'plug in a second stick with that label and file; it names the broker',
      ),
    );
  }
  if (state.configuration.kind === 'rejected') found.push(state.configuration.problem);
  if (state.attestation.kind === 'refused' || state.attestation.kind === 'unattested')
    found.push(state.attestation.problem);
  else if (state.tpm.kind === 'failed') found.push(state.tpm.problem);
  return found;
}

function problem(code: string, message: string, nextStep: string): Problem {
  return { code, message, nextStep };
}

function currentProblems(state: AgentState, nowMs: number): string[] {
  const lines = problems(state).flatMap(problemLines);
  if (state.problem === null) return lines;
  const waitMs = Math.max(0, state.problem.retryAtMs - nowMs);
  return [...lines, ...problemLines(state.problem.problem), `Trying again in ${duration(waitMs)}.`];
}

function problemLines(found: Problem): string[] {
  const said = `! ${found.message} [${found.code}]`;
  return found.nextStep === undefined ? [said] : [said, `  What to do: ${found.nextStep}`];
}

function address(network: NetworkState): string {
  if (network.kind === 'up') return network.addresses.map((one) => `${one.address} (${one.interface})`).join(', ');
  return {
    searching: 'looking for a network card',
    'no-card': 'none',
    'no-link': 'none',
    'no-address': 'asking the network',
  }[network.kind];
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

function secureBoot(state: AgentState): string {
  if (state.platform === null) return 'not known yet';
  if (state.platform.bootMode === 'bios') return 'no: started in legacy BIOS mode';
  if (state.platform.secureBoot === null) return 'not known';
  return state.platform.secureBoot ? 'on' : 'off';
}

function accelerator(state: AgentState): string {
  const result = state.accelerator;
  if (result === null) return 'running a test guest';
  if (result.name === 'unknown') return `none: ${result.reason}`;
  if (result.name === 'tcg') return `none (software emulation, a lower tier): ${result.reason}`;
  return `${result.name}: ${result.reason}`;
}

function broker(state: AgentState): string {
  const configuration = state.configuration;
  if (configuration.kind === 'loaded') return `${configuration.broker} (from ${configuration.source})`;
  return { searching: 'looking for a volume labelled CPUSHARE', missing: 'none given', rejected: 'cannot be read' }[
    configuration.kind
  ];
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

/** Nothing until the first: a line of zeros tells the seller nothing. */
function checks({ checks: { answering, answered } }: AgentState): string[] {
  if (!answering && answered === 0) return [];
  const count = answered === 1 ? '1 check answered' : `${answered} checks answered`;
  return [field('Buyers', answering ? `answering a buyer's check (${count})` : count)];
}

function field(name: string, value: string): string {
  const label = `  ${name}`.padEnd(16);
  const room = COLUMNS - label.length;
  return label + (value.length > room ? `${value.slice(0, room - 3)}...` : value);
}

function wrapped(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const indent = /^ */.exec(line)?.[0].length === 2 ? '    ' : '  ';
    const rows: string[] = [];
    let row = '';
    for (const word of line.split(/(?<=\S) +/)) {
      if (row !== '' && row.length + 1 + word.length > COLUMNS) {
        rows.push(row);
        row = indent + word;
      } else row = row === '' ? word : `${row} ${word}`;
    }
    return [...rows, row];
  });
}

/** Text from the broker or the firmware cannot move the cursor. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}
