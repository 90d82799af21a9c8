/** Shim, GRUB, what GRUB was told and what it read (registers 4, 8 and 9). */
import { type Change, type ChangeCode, named, type Rule, someOf } from './change.ts';
import type { Pair } from './compare.ts';
import { describeMeasurement, type Measurement } from './measurement.ts';

const MAX_NAMED = 3;

export const bootLoaderRule: Rule = (pairs, { where }) => [
  ...images(pairs, where),
  ...changeOf('GRUB_COMMANDS_CHANGED', named(pairs, 8, 'GRUB command'), (what) => ({
    sentence: `GRUB ran other commands than ${where}: ${what}.`,
    remedy: 'Start the machine from an unchanged medium, without editing commands in the boot menu.',
  })),
  ...changeOf('GRUB_CONFIG_CHANGED', named(pairs, 9, /^(grub\.cfg|file)$/).filter(isConfig), () => ({
    sentence: `GRUB read another grub.cfg than ${where}.`,
    remedy: 'Start the machine from an unchanged medium.',
  })),
  ...changeOf(
    'BOOT_FILES_CHANGED',
    named(pairs, 9, 'file').filter((pair) => !isConfig(pair)),
    (what) => ({
      sentence: `GRUB read other files than ${where}: ${what}.`,
      remedy: 'Check what was installed or updated on the medium; file names are hearsay, their digests are not.',
    }),
  ),
];

/** The first image is the boot loader that the firmware starts, mostly shim; the second what that starts, mostly GRUB. */
function images(pairs: readonly Pair[], where: string): Change[] {
  const all = pairs.filter(({ pcr, before, after }) => pcr === 4 && (isImage(before) || isImage(after)));
  return all.flatMap((pair) => {
    if (pair.kind === 'same') return [];
    const side = pair.after === null ? 'before' : 'after';
    const place = all.filter((each) => each[side] !== null).indexOf(pair);
    const component = pair.before?.decoded === null ? pair.before.name : (PLACES[place] ?? 'an image');
    const verb = { added: 'was started that was not', missing: 'was not started that was', changed: '', same: '' }[
      pair.kind
    ];
    return [
      {
        code: 'BOOT_LOADER_CHANGED',
        sentence:
          verb === ''
            ? `${capital(component)} is another one than ${where}.`
            : `${capital(component)} ${verb} ${where}.`,
        remedy: 'An update of the boot loader looks like this, and so does another medium: find out which it was.',
        pairs: [pair],
      },
    ];
  });
}

const PLACES = ['the first boot loader (shim)', 'the second boot loader (GRUB)', 'the third image (the kernel)'];

function isImage(side: Pair['before']): boolean {
  return side?.subjects.includes('image') === true;
}

const isConfig = ({ before, after }: Pair): boolean =>
  before?.name === 'grub.cfg' || [before, after].some((each) => /grub\.cfg$/.test(each?.says ?? ''));

function changeOf(
  code: ChangeCode,
  pairs: readonly Pair[],
  words: (what: string) => Pick<Change, 'sentence' | 'remedy'>,
): Change[] {
  if (pairs.length === 0) return [];
  return [{ code, ...words(someOf(pairs.map(inWords), MAX_NAMED)), pairs }];
}

export function inWords({ kind, before, after }: Pair): string {
  const text = (side: Pair['before']) => (side === null ? '' : `"${brief(side)}"`);
  if (kind === 'added') return `${text(after)} came`;
  if (kind === 'missing') return `${text(before)} is missing`;
  return before?.says === after?.says
    ? `${text(after)} has other content`
    : `${text(after)} in place of ${text(before)}`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Menu entries of GRUB are pages long. */
function brief(measurement: Measurement): string {
  const isCommand = ['GRUB command', 'file', 'action'].includes(measurement.name);
  const whole = (isCommand ? measurement.says : null) ?? describeMeasurement(measurement);
  const line = whole.split('\n')[0] ?? '';
  return line.length < whole.length || line.length > 100 ? `${line.slice(0, 100)}…` : line;
}
