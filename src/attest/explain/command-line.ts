/** Parameters of the kernel: its command line, GRUB's `linux` command with it, and the load options that repeat both (registers 8 and 9). */
import { named, type Rule, someOf } from './change.ts';
import type { Pair } from './compare.ts';
import type { Measurement } from './measurement.ts';

export const commandLineRule: Rule = (pairs, { where }) => {
  const lines = named(pairs, 8, 'kernel command line');
  const commands = named(pairs, 8, 'GRUB command').filter(isLinuxCommand);
  const repeats = named(pairs, 9, /^(load options|kernel command line)$/);
  const spoken = lines.length > 0 ? lines : commands;
  const { added, removed } = parameterChanges(spoken);
  if (added.length + removed.length === 0) return [];
  const what = [
    ...(added.length === 0 ? [] : [`added ${someOf(added, MOST)}`]),
    ...(removed.length === 0 ? [] : [`left out ${someOf(removed, MOST)}`]),
  ];
  return [
    {
      code: 'KERNEL_PARAMETERS_CHANGED',
      sentence: `The kernel was started with other parameters than ${where}: ${what.join('; ')}.`,
      remedy: 'Start the machine from an unchanged medium, without editing commands in the boot menu.',
      pairs: [...lines, ...commands.filter(samePath), ...repeats],
    },
  ];
};

/** Parameters without the first word, the kernel's path. */
function parameterChanges(pairs: readonly Pair[]): { readonly added: string[]; readonly removed: string[] } {
  const of = (side: 'before' | 'after') => pairs.flatMap((pair) => parametersOf(pair[side]));
  const [before, after] = [of('before'), of('after')];
  return {
    added: after.filter((each) => !before.includes(each)),
    removed: before.filter((each) => !after.includes(each)),
  };
}

const words = (measurement: Measurement | null): readonly string[] =>
  (measurement?.says ?? '').split(' ').filter((word) => word !== '');

function parametersOf(measurement: Measurement | null): readonly string[] {
  const all = words(measurement);
  return all.slice(all[0] !== undefined && LINUX.test(all[0]) ? 2 : 1);
}

const MOST = 8;
const LINUX = /^linux(16|efi)?$/;

export function isLinuxCommand({ before, after }: Pair): boolean {
  return [before, after].every((each) => LINUX.test(words(each)[0] ?? ''));
}

/** The kernel that GRUB's `linux` command or the kernel command line names. */
export function kernelPath(measurement: Measurement | null): string | null {
  const all = words(measurement);
  return (all[0] !== undefined && LINUX.test(all[0]) ? all[1] : all[0]) ?? null;
}

function samePath({ before, after }: Pair): boolean {
  return kernelPath(before) === kernelPath(after);
}
