/** A verdict as a person reads it: plain text, 80 columns, the answer first. Colour only when asked for. */
import { weaknessOf } from './limits.ts';
import { COLUMNS, labelled, type Painter, painter, wrap } from './text-layout.ts';
import type { Check, PcrVerdict, Verdict } from './verdict.ts';

export interface RenderOptions {
  readonly colour?: boolean;
  /** Lines for the head that the verdict does not know, such as the machine's id or the time it took. */
  readonly facts?: readonly (readonly [label: string, text: string])[];
}

export function renderVerdict(verdict: Verdict, options: RenderOptions = {}): string {
  const paint = painter(options.colour === true);
  const failed = verdict.checks.filter((check) => check.status === 'failed');
  const head = verdict.status === 'accepted' ? paint('green', 'ACCEPTED') : paint('red', 'REFUSED');
  return [
    head,
    ...failed.flatMap((check) => renderFailure(check, paint)),
    '',
    ...facts(verdict, options.facts ?? []).flatMap(([label, text]) => labelled(label, text)),
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

function facts(verdict: Verdict, given: NonNullable<RenderOptions['facts']>): (readonly [string, string])[] {
  const { tpm, claims, image } = verdict;
  const status = (name: string): string | undefined => verdict.checks.find((check) => check.name === name)?.status;
  const secureBoot = { passed: 'on', failed: 'off or not proven', 'not-reached': 'not judged' } as const;
  const passed = verdict.checks.filter((check) => check.status === 'passed').length;
  const lines: (readonly [string, string])[] = [
    ...given,
    ['TPM', `${tpm.class}${tpm.model === null ? '' : `, ${tpm.model} (${tpm.manufacturer ?? 'no vendor'})`}`],
    ['', tpm.evidence],
    ['', weaknessOf(tpm.class)],
    ['Image', image === null ? 'none that is known' : `${image.name} ${image.version}`],
    ['Secure Boot', secureBoot[(status('secure-boot') ?? 'not-reached') as keyof typeof secureBoot]],
  ];
  if (claims !== null) {
    lines.push(['Accelerator', `${claims.accelerator.name} (${claims.accelerator.reason})`]);
    lines.push([
      'Claims',
      `client ${claims.clientVersion}, ${claims.cpuModel}, ${Math.round(claims.memoryBytes / 2 ** 20)} MiB,`,
    ]);
    lines.push(['', `${claims.bootMode} boot, up for ${(claims.uptimeMs / 1000).toFixed(1)} s`]);
    if (verdict.status === 'refused') lines.push(['', 'said by an image that is not attested: worth nothing']);
  }
  lines.push(['Checks', `${passed} of ${verdict.checks.length} passed`]);
  return lines;
}

function renderPcrs(pcrs: readonly PcrVerdict[], paint: Painter): string[] {
  if (pcrs.length === 0) return [];
  const colour = (basis: PcrVerdict['basis']) =>
    basis === 'differs' || basis === 'unexplained' ? 'red' : basis === 'reference' || basis === 'rule' ? 'green' : null;
  const rows = pcrs.flatMap((pcr) => {
    const tint = colour(pcr.basis);
    const basis = tint === null ? pcr.basis.padEnd(11) : paint(tint, pcr.basis.padEnd(11));
    const [first = '', ...rest] = wrap(pcr.sentence, '', '', COLUMNS - 36);
    const row = `  ${String(pcr.index).padStart(2)}  ${pcr.value.slice(0, 16)}  ${basis} ${first}`;
    return [row, ...rest.map((line) => `${' '.repeat(36)}${line}`)];
  });
  return ['', '  PCR sha256           basis', ...rows];
}
