/** Another kernel or initrd: its image in register 4, the files GRUB read in register 9, the `linux` command that names it. */
import { type Change, differing, named, type Rule } from './change.ts';
import { isLinuxCommand, kernelPath } from './command-line.ts';
import type { Pair } from './compare.ts';

/** File names are hearsay: they choose the words of a sentence, never a verdict. */
const KERNEL_FILE = /(^|\/)(vmlinu[xz]|bzImage|linux)[^/]*$/i;
const INITRD_FILE = /(^|\/)(initr|initramfs)[^/]*$/i;

export const kernelRule: Rule = (pairs, { where }) => {
  const kernels = differing(pairs).filter(isKernel);
  const initrds = differing(pairs).filter(isInitrd);
  const commands = named(pairs, 8, /^(GRUB command|kernel command line)$/).filter(namesAnotherKernel);
  const repeats = commands.length === 0 ? [] : named(pairs, 9, /^(load options|kernel command line)$/);
  const initrdCommands = named(pairs, 8, 'GRUB command').filter((pair) =>
    sayings(pair).some((says) => /^initrd(16|efi)? /.test(says)),
  );
  if (kernels.length + commands.length > 0) {
    const [first] = commands;
    const names =
      first === undefined
        ? ''
        : `, ${kernelPath(first.after) ?? 'none'} in place of ${kernelPath(first.before) ?? 'none'}`;
    const also = initrds.length === 0 ? '' : ', and with it another initrd';
    return [
      {
        code: 'KERNEL_UPDATED',
        sentence: `A kernel update: the kernel is another one than ${where}${names}${also}.`,
        remedy:
          'Judge it with the reference values of the release it runs, or start the machine from the release you expect.',
        pairs: [...kernels, ...commands, ...repeats, ...kernelImages(pairs), ...initrds, ...initrdCommands],
      },
    ];
  }
  if (initrds.length + initrdCommands.length === 0) return [];
  const change: Change = {
    code: 'INITRD_CHANGED',
    sentence: `The initrd is another one than ${where}, the kernel is the same: the operating system in it was changed or is of another release.`,
    remedy:
      'Judge it with the reference values of the release it runs, or start the machine from the release you expect.',
    pairs: [...initrds, ...initrdCommands],
  };
  return [change];
};

const sayings = ({ before, after }: Pair): readonly string[] => [before?.says ?? '', after?.says ?? ''];

function isKernel(pair: Pair): boolean {
  if (pair.before?.name === 'kernel') return true;
  return pair.pcr === 9 && sayings(pair).some((says) => KERNEL_FILE.test(says));
}

function isInitrd(pair: Pair): boolean {
  const isNamed = pair.before?.name === 'initrd' || pair.after?.name === 'initrd';
  return isNamed || (pair.pcr === 9 && sayings(pair).some((says) => INITRD_FILE.test(says)));
}

function namesAnotherKernel(pair: Pair): boolean {
  if (pair.before === null || pair.after === null) return false;
  const isLine = pair.before.name === 'kernel command line';
  return (isLine || isLinuxCommand(pair)) && kernelPath(pair.before) !== kernelPath(pair.after);
}

/** GRUB starts the kernel as an image behind shim and GRUB itself: the last one of register 4. */
function kernelImages(pairs: readonly Pair[]): readonly Pair[] {
  const images = pairs.filter(({ pcr, after }) => pcr === 4 && after?.name === 'image');
  const last = images.at(-1);
  return images.length > 2 && last !== undefined && last.kind !== 'same' && last.before?.decoded !== null ? [last] : [];
}
