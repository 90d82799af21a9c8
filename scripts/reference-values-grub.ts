/**
 * What GRUB will measure while it runs a configuration file, from its text alone: PCR 8 gets each command's words joined by
 * one space, without quotes, and the kernel's command line. Only files that can be predicted pass: no expansion, no
 * conditions, no menus. Rules measured with GRUB 2.12 of Debian 13; see GRUB's `grub_cmd`/`kernel_cmdline` measurements.
 */
import { CodedError } from '../src/shared/errors.ts';

export class GrubPredictionError extends CodedError<'GRUB_UNPREDICTABLE'> {}

export interface GrubPrediction {
  /** As measured, in order, ending with `boot`: what stands behind it never runs when the boot succeeds. */
  readonly commands: readonly string[];
  /** Path and parameters, quoted again where a word has a space. */
  readonly kernelCommandLine: string;
  /** What the kernel's EFI stub is handed. */
  readonly loadOptions: string;
}

/** Commands whose only effect on PCR 8 and 9 is their own line, or `linux` and `initrd`, which open the files we know. */
const PREDICTABLE = new Set(['search', 'echo', 'sleep', 'linux', 'initrd', 'boot', 'reboot', 'halt']);

/** @throws GrubPredictionError with the line that stands in the way */
export function predictGrub(config: string): GrubPrediction {
  const lines = config.split('\n').map((text, index) => ({ words: wordsOf(text, index + 1), number: index + 1 }));
  const commands = lines.filter(({ words }) => words.length > 0);
  for (const { words, number } of commands) refuseUnpredictable(words, number);
  const boot = commands.findIndex(({ words }) => words.join(' ') === 'boot');
  if (boot < 0) throw unpredictable(commands.length, 'there is no boot command');
  const executed = commands.slice(0, boot + 1).map(({ words }) => words);
  const kernel = theOnly(executed, 'linux').slice(1);
  const [path = ''] = theOnly(executed, 'initrd').slice(1);
  if (kernel.length === 0 || path === '') throw unpredictable(boot, 'linux and initrd need a path');
  if (theOnly(executed, 'initrd').length !== 2) throw unpredictable(boot, 'more than one initrd file');
  if (kernel.some((word) => /['"]/.test(word))) throw unpredictable(boot, 'a quote inside a kernel parameter');
  const commandLine = kernel.map(quoteAgain).join(' ');
  return {
    commands: executed.map((words) => words.join(' ')),
    kernelCommandLine: commandLine,
    loadOptions: `BOOT_IMAGE=${commandLine}`,
  };
}

/** GRUB's words of one line: blanks separate, quotes group and go away, `#` starts a comment at the start of a word. */
function wordsOf(line: string, number: number): string[] {
  const words: string[] = [];
  const token = /[ \t]*(?:(#.*)|((?:[A-Za-z0-9_.,:=+@%/^!-]|'[^'$\\]*'|"[^"$\\]*")+))/y;
  while (token.lastIndex < line.trimEnd().length) {
    const at = token.lastIndex;
    const match = token.exec(line);
    // A `#` or a quote that touches what stands before it is not worth a rule of its own.
    if (match === null || (at > 0 && !/^[ \t]/.test(match[0]))) {
      throw unpredictable(number, `cannot foresee what GRUB makes of ${JSON.stringify(line.slice(at))}`);
    }
    if (match[1] !== undefined) break;
    words.push((match[2] ?? '').replace(/'([^']*)'|"([^"]*)"/g, '$1$2'));
  }
  return words;
}

function refuseUnpredictable(words: readonly string[], number: number): void {
  const [command = ''] = words;
  if (!PREDICTABLE.has(command)) throw unpredictable(number, `the command ${JSON.stringify(command)} is not foreseen`);
  // `search --file` would open, and so measure, a file on whichever disk has one.
  if (command === 'search' && !words.includes('--fs-uuid')) throw unpredictable(number, 'search without --fs-uuid');
  if (command === 'search' && words.some((word) => word === '--file' || word === '-f')) {
    throw unpredictable(number, 'search --file measures what it finds');
  }
}

function theOnly(executed: readonly (readonly string[])[], command: string): readonly string[] {
  const [first, ...more] = executed.filter((words) => words[0] === command);
  if (first === undefined || more.length > 0) {
    throw unpredictable(
      executed.length,
      `${first === undefined ? 'no' : 'more than one'} ${command} command before boot`,
    );
  }
  return first;
}

const quoteAgain = (word: string) => (/\s/.test(word) ? `"${word}"` : word);

function unpredictable(line: number, why: string): GrubPredictionError {
  return new GrubPredictionError('GRUB_UNPREDICTABLE', `grub.cfg line ${line}: ${why}`, {
    nextStep: 'keep image/boot/grub.cfg.mustache to plain search, echo, linux, initrd, boot, sleep and reboot lines',
  });
}
