/** An explanation as a person reads it: the changes first, then register by register, two columns within 80. */
import { labelled, type Painter, painter, sideBySide, wrap } from '../result/text-layout.ts';
import type { Change } from './change.ts';
import { differing } from './change.ts';
import type { Pair } from './compare.ts';
import type { Explanation, RegisterExplanation } from './explain.ts';
import { describeMeasurement, type Measurement } from './measurement.ts';

const SIDE = 36;
const INDENT = '    ';

export interface ExplainRenderOptions {
  readonly colour?: boolean;
  /** Also what is as expected, and what was compared with nothing. */
  readonly all?: boolean;
}

const TITLES: { readonly [index: number]: string } = {
  0: 'firmware code',
  1: 'firmware settings',
  2: 'firmware of cards',
  3: 'settings of cards',
  4: 'boot loaders and kernel',
  5: 'boot manager and partition table',
  6: "the maker's own events",
  7: 'Secure Boot and its keys',
  8: 'GRUB commands and kernel parameters',
  9: 'files GRUB read, initrd, load options',
  10: 'kernel modules (IMA)',
  12: "seller's configuration",
  14: 'machine owner keys of shim',
};

const STATES: { readonly [state in RegisterExplanation['state']]: string } = {
  expected: 'as expected',
  differs: 'DIFFERS',
  'not-compared': 'explained by the log, not compared',
  unexplained: 'UNEXPLAINED: the log does not lead to this value',
  initial: 'never extended',
  runtime: 'by the running system, not compared',
};

export function renderExplanation(explanation: Explanation, options: ExplainRenderOptions = {}): string {
  const paint = painter(options.colour === true);
  const { changes, nearest, registers } = explanation;
  return [
    ...(nearest === null ? [] : nearest.all.flatMap(releaseLine)),
    '',
    ...(changes.length === 0
      ? [nothingChanged(registers)]
      : ['What changed:', ...changes.flatMap((change, index) => renderChange(change, index, paint))]),
    '',
    'Register by register:',
    ...registers.flatMap((register) => renderRegister(register, paint, options.all === true)),
  ]
    .filter((line, index, lines) => line !== '' || lines[index - 1] !== '')
    .join('\n')
    .trimEnd();
}

function releaseLine({ name, differences }: { name: string; differences: number }, index: number): string[] {
  const fit = differences === 0 ? `${name}, exactly` : `${name}, ${differences} measurements differ`;
  return labelled(index === 0 ? 'Nearest' : '', fit);
}

function nothingChanged(registers: readonly RegisterExplanation[]): string {
  const compared = registers.some(({ baseline }) => baseline !== null);
  return compared ? 'Nothing changed in what was compared.' : 'There was nothing to compare with.';
}

function renderChange({ sentence, code, remedy }: Change, index: number, paint: Painter): string[] {
  const number = `${String(index + 1).padStart(2)}. `;
  const [first = '', ...rest] = wrap(`${sentence} [${code}]`, `  ${number}`, '      ');
  return [
    '',
    paint('yellow', first),
    ...rest.map((line) => paint('yellow', line)),
    ...wrap(`Next step: ${remedy}`, '      ', '      '),
  ];
}

function renderRegister(register: RegisterExplanation, paint: Painter, all: boolean): string[] {
  const { index, state, pairs, value, baseline } = register;
  const title = TITLES[index];
  if (!all && state === 'initial') return [];
  const bad = state === 'differs' || state === 'unexplained';
  const shown = all ? pairs : bad ? differing(pairs) : [];
  const hidden = pairs.length - shown.length;
  const head = `${String(index).padStart(4)}  ${(title ?? 'not used').padEnd(38)}`;
  return [
    ...(shown.length > 0 ? [''] : []),
    ...wrap(
      state === 'expected' && baseline?.kind === 'earlier' ? `as ${baseline.where}` : STATES[state],
      head,
      ' '.repeat(44),
    ).map((line) => (bad ? paint('red', line) : line)),
    ...(shown.length > 0 && value !== null ? [`      ${value}`] : []),
    ...(shown.length > 0 && baseline !== null ? [header(baseline.where)] : []),
    ...shown.flatMap((pair) => renderPair(pair, baseline !== null)),
    ...(shown.length > 0 && hidden > 0 ? [`${INDENT}  … ${hidden} the same`] : []),
    ...(shown.length > 0 ? [''] : []),
  ];
}

function header(where: string): string {
  return sideBySide(where.replace(/^(in|at) /, 'expected: '), 'seen', `${INDENT}`, SIDE).join('\n');
}

const MARKS: { readonly [kind in Pair['kind']]: string } = {
  same: '  = ',
  changed: '  ~ ',
  added: '  + ',
  missing: '  - ',
};

function renderPair(pair: Pair, compared: boolean): string[] {
  const text = (side: Measurement | null): string => (side === null ? '' : describeMeasurement(side));
  if (!compared) return wrap(text(pair.after), `${INDENT}  `, `${INDENT}    `);
  const [first = '', ...rest] = sideBySide(
    text(pair.before),
    pair.kind === 'same' ? '' : textBeside(pair),
    '    ',
    SIDE,
  );
  return [`${MARKS[pair.kind]}${first.slice(4)}`, ...rest];
}

/** Where both sides say the same, the digests are what differs. */
function textBeside({ before, after }: Pair): string {
  if (after === null) return '(not seen)';
  const text = describeMeasurement(after);
  const same = before !== null && describeMeasurement(before) === text;
  return same ? `${text} (digest ${after.digest.slice(0, 16)}, expected ${before.digest.slice(0, 16)})` : text;
}
