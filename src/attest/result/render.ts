/** A verdict as a person reads it: plain text, 80 columns, the answer first. Colour only when asked for. */

import type { Check, PcrVerdict, Verdict } from '../verdict.ts';
import { type Fact, factsOf } from './render-facts.ts';
import { COLUMNS, labelled, type Painter, painter, wrap } from './text-layout.ts';

export interface RenderOptions {
  readonly colour?: boolean;
  /** Lines for the head that the verdict does not know, such as the machine's id or the time it took. */
  readonly facts?: readonly Fact[];
}

export function renderVerdict(verdict: Verdict, options: RenderOptions = {}): string {
  const paint = painter(options.colour === true);
  const failed = verdict.checks.filter((check) => check.status === 'failed');
  const head = verdict.status === 'accepted' ? paint('green', 'ACCEPTED') : paint('red', 'REFUSED');
  return [
    head,
    ...failed.flatMap((check) => renderFailure(check, paint)),
    '',
    ...factsOf(verdict, options.facts ?? []).flatMap(([label, text]) => labelled(label, text)),
    ...renderPcrs(verdict.pcrs, paint),
    '',
    'What this cannot promise:',
    ...verdict.limits.flatMap((limit) => wrap(limit, '  - ', '    ')),
  ].join('\n');
}

/** Sentence, code, difference and next step of a check that failed. */
export function renderFailure(check: Check, paint: Painter): string[] {
  const lines = wrap(`${check.sentence} [${check.code ?? check.name}]`, '  ', '  ');
  if (check.difference !== undefined) {
    lines.push(`  ${paint('red', check.difference.component)}`);
    lines.push(...wrap(check.difference.expected, '    expected  ', '              '));
    lines.push(...wrap(check.difference.actual, '    got       ', '              '));
  }
  if (check.remedy !== undefined) lines.push(...wrap(`Next step: ${check.remedy}`, '  ', '  '));
  return lines;
}

/** One table per bank; a bank's values are worth as much as the others', and sentences are about all of them. */
function renderPcrs(pcrs: readonly PcrVerdict[], paint: Painter): string[] {
  const banks = [...new Set(pcrs.map(({ bank }) => bank))];
  return banks.flatMap((bank) => [
    '',
    `  PCR ${bank.padEnd(16)}  basis`,
    ...pcrs.filter((pcr) => pcr.bank === bank).flatMap((pcr) => renderPcr(pcr, paint)),
  ]);
}

const TINT: { readonly [basis in PcrVerdict['basis']]: 'red' | 'green' | null } = {
  reference: 'green',
  rule: 'green',
  explained: null,
  initial: null,
  unexplained: 'red',
  differs: 'red',
};

function renderPcr({ index, value, basis, sentence }: PcrVerdict, paint: Painter): string[] {
  const tint = TINT[basis];
  const shown = tint === null ? basis.padEnd(11) : paint(tint, basis.padEnd(11));
  const [first = '', ...rest] = wrap(sentence, '', '', COLUMNS - 36);
  const row = `  ${String(index).padStart(2)}  ${value.slice(0, 16)}  ${shown} ${first}`;
  return [row, ...rest.map((line) => `${' '.repeat(36)}${line}`)];
}
