/** The firmware itself and its settings (registers 0, 1, 3 and 6), microcode, and firmware of cards (register 2). */
import { EventType } from '../event-log/event-types.ts';
import { type Change, differing, named, type Rule } from './change.ts';
import type { Pair } from './compare.ts';

export const firmwareRule: Rule = (pairs, { where }) => {
  const microcode = typed(pairs, [EventType.CPU_MICROCODE]);
  const versions = named(pairs, 0, 'firmware version');
  const code = differing(pairs).filter(
    (pair) => pair.pcr === 0 && !microcode.includes(pair) && !versions.includes(pair),
  );
  return [
    ...(versions.length === 0 ? codeChange(code, where) : [update(versions, code, where)]),
    ...settings(pairs, where),
    ...(microcode.length === 0 ? [] : [microcodeChange(microcode, where)]),
    ...cards(pairs, where),
  ];
};

function update(versions: readonly Pair[], code: readonly Pair[], where: string): Change {
  const [first] = versions;
  const version = (side: Pair['before'] | undefined) =>
    side == null ? 'none' : `"${side.says ?? side.digest.slice(0, 16)}"`;
  return {
    code: 'FIRMWARE_UPDATED',
    sentence: `A firmware update: its version is ${version(first?.after)}, ${where} it was ${version(first?.before)}.`,
    remedy: 'Check that the owner updated the firmware, and that the version is not older than before.',
    pairs: [...versions, ...code],
  };
}

function codeChange(code: readonly Pair[], where: string): Change[] {
  if (code.length === 0) return [];
  return [
    {
      code: 'FIRMWARE_CODE_CHANGED',
      sentence: `The firmware's code is not that ${where} (${code.length} of its measurements), and it states the same version.`,
      remedy: 'An update by the maker can look like this. If nobody updated the firmware, do not rely on this machine.',
      pairs: code,
    },
  ];
}

/** Boot entries have a rule of their own. */
function settings(pairs: readonly Pair[], where: string): Change[] {
  const changed = differing(pairs).filter(
    (pair) =>
      [1, 3, 6].includes(pair.pcr) &&
      !/^variable (Boot|DriverOrder)/.test((pair.after ?? pair.before)?.name ?? '') &&
      !isTyped(pair, [EventType.CPU_MICROCODE]),
  );
  if (changed.length === 0) return [];
  const registers = [...new Set(changed.map(({ pcr }) => pcr))].join(', ');
  return [
    {
      code: 'FIRMWARE_SETTINGS_CHANGED',
      sentence: `Settings or tables of the firmware are not those ${where} (${changed.length} measurements in register ${registers}).`,
      remedy:
        'Nothing to do when somebody changed the firmware setup or hardware; these registers are recorded, not compared.',
      pairs: changed,
    },
  ];
}

function microcodeChange(pairs: readonly Pair[], where: string): Change {
  return {
    code: 'MICROCODE_UPDATED',
    sentence: `The processor's microcode is another one than ${where}.`,
    remedy: 'Nothing to do: firmware updates bring new microcode.',
    pairs,
  };
}

function cards(pairs: readonly Pair[], where: string): Change[] {
  const changed = differing(pairs).filter(({ pcr }) => pcr === 2);
  if (changed.length === 0) return [];
  const kinds = new Set(changed.map(({ kind }) => kind));
  const verb =
    kinds.size > 1 || kinds.has('changed')
      ? 'is not that'
      : kinds.has('added')
        ? 'came that was not there'
        : 'is gone that was there';
  return [
    {
      code: 'CARD_FIRMWARE_CHANGED',
      sentence: `Firmware of a card or driver (option ROM) ${verb} ${where}: a card was put in, taken out or updated.`,
      remedy: 'Ask the owner which card it is: its firmware runs before the operating system and could change it.',
      pairs: changed,
    },
  ];
}

const typed = (pairs: readonly Pair[], types: readonly number[]): readonly Pair[] =>
  differing(pairs).filter((pair) => isTyped(pair, types));

function isTyped({ before, after }: Pair, types: readonly number[]): boolean {
  const type = (after ?? before)?.decoded?.event.type;
  return type !== undefined && types.includes(type);
}
