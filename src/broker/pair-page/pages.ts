/** The pages a seller sees while claiming a machine: sign in, type the code, look at the machine, decide. */
import type { Machine } from '../db/machines.ts';
import type { OwnMachine } from '../db/pairings.ts';
import type { Pairing } from '../pairing.ts';
import { html, type Markup } from './html.ts';
import { page, problemBox } from './layout.ts';

interface Here {
  readonly csrf: string;
  /** As given in the address or typed; may be anything. */
  readonly code: string;
  readonly problem?: string | null;
}

const hidden = (name: string, value: string) => html`<input type="hidden" name="${name}" value="${value}">`;

export function signInPage({ csrf, code, problem = null }: Here): string {
  const content = html`${problemBox(problem)}
<p>Sign in with the name and the secret that the operator of this broker gave you.</p>
<form method="post" action="/pair/sign-in">
${hidden('csrf', csrf)}${hidden('code', code)}
<label for="name">Account</label>
<input type="text" id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="40" required>
<label for="secret">Secret</label>
<input type="password" id="secret" name="secret" autocomplete="current-password" maxlength="100" required>
<div class="buttons"><button>Sign in</button></div>
</form>`;
  return page({ title: 'Pair a machine', csrf, account: null }, content);
}

export interface CodeHere extends Here {
  readonly account: string;
  readonly machines: readonly OwnMachine[];
  readonly done?: string | null;
}

export function codePage({ csrf, code, problem = null, account, machines, done = null }: CodeHere): string {
  const content = html`${done === null ? null : html`<p class="done" role="status">${done}</p>`}${problemBox(problem)}
<form method="post" action="/pair/look">
${hidden('csrf', csrf)}
<label for="code">Code on the machine's screen</label>
<p class="hint" id="code-hint">Eight letters. Capitals and the dash do not matter.</p>
<input class="code" type="text" id="code" name="code" value="${code}" aria-describedby="code-hint" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="20" required>
<div class="buttons"><button>Continue</button></div>
</form>
${machines.length === 0 ? null : ownMachines(machines, csrf)}`;
  return page({ title: 'Pair a machine', csrf, account }, content);
}

function ownMachines(machines: readonly OwnMachine[], csrf: string): Markup {
  const items = machines.map(
    (machine) => html`<li><span><span class="print">${machine.machineId.slice(0, 8)}</span> ${machine.cpuModel}<br>
<span class="hint">${ownState(machine)}</span></span>
<form method="post" action="/pair/remove">${hidden('csrf', csrf)}${hidden('machine', machine.machineId)}<button class="plain" aria-label="Remove ${machine.machineId.slice(0, 8)}">Remove</button></form></li>`,
  );
  return html`<h2>Your machines</h2><ul>${items}</ul>`;
}

function ownState({ lasting, attestation }: OwnMachine): string {
  if (!lasting) return 'no TPM: until it is switched off';
  if (attestation === 'accepted') return 'attested';
  return attestation === 'refused' ? 'attestation refused: see its screen' : 'not judged yet';
}

export interface Decision {
  readonly csrf: string;
  readonly account: string;
  readonly userCode: string;
  readonly pairing: Pairing;
  /** Null for one that has not enrolled. */
  readonly machine: Machine | null;
}

export function decisionPage({ csrf, account, userCode, pairing, machine }: Decision): string {
  const { facts } = pairing;
  const rows: [string, string | Markup][] = [
    ['TPM fingerprint', fingerprint(pairing)],
    ['Attestation', attestation(machine)],
    ['Address', pairing.address],
    ['Processor', facts.cpuModel],
    ['Memory', `${(facts.memoryBytes / 2 ** 30).toFixed(1)} GiB`],
    ['Started by', facts.bootMode === 'uefi' ? 'UEFI' : 'legacy BIOS'],
    ['Image', facts.clientVersion],
  ];
  const content = html`<p>Is this code on the screen of a machine that stands before you, and that you started?</p>
<p class="shown">${userCode}</p>
<dl>${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
<p class="hint">Fingerprint and attestation are proven by its TPM; the address is what this broker sees; the rest is the machine's word.</p>
<p>If somebody sent you the code, say no: the machine is not yours.</p>
<form method="post" action="/pair/decide">
${hidden('csrf', csrf)}${hidden('code', userCode)}
<div class="buttons"><button name="decision" value="confirm">Yes, pair it</button><button class="other" name="decision" value="refuse">No, refuse it</button></div>
</form>`;
  return page({ title: 'Is it yours?', csrf, account }, content);
}

function fingerprint({ lasting, machineId }: Pairing): Markup {
  if (!lasting) return html`none: this machine has no TPM that works, so it will ask again after each start`;
  return html`<strong class="print">${machineId.slice(0, 8)}</strong><span class="print">${machineId.slice(8)}</span>`;
}

function attestation(machine: Machine | null): string {
  if (machine === null) return 'cannot be attested';
  if (machine.attestation === 'accepted') return 'accepted: it runs an image that this broker knows';
  if (machine.attestation === 'refused') return `refused: ${machine.reason ?? 'no reason kept'}`;
  return 'not judged yet';
}
