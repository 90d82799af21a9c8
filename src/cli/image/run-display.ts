/** Where the machine's screen goes: a window, the terminal, or nowhere. */
import { runProgram } from '../../../scripts/run/child.ts';
import type { Display } from '../../../scripts/run/machine-arguments.ts';
import { CodedError } from '../../shared/errors.ts';

export class DisplayError extends CodedError<'DISPLAY_MISSING'> {}

/** `serial` is ours: no screen, but what the machine says on its serial port. */
export const screens = ['gtk', 'curses', 'serial', 'vnc', 'none'] as const;
export type Screen = (typeof screens)[number];

export interface DisplayFacts {
  /** A desktop session: a window can open. */
  readonly desktop: boolean;
  /** A person's terminal. */
  readonly terminal: boolean;
  /** The machine's screen stays in text mode, which is all that a terminal can show: a UEFI machine draws pixels. */
  readonly textScreen: boolean;
  /** What this QEMU can open. */
  readonly available: readonly string[];
}

/** @throws DisplayError when what is asked for cannot be had here */
export function chooseScreen(asked: Screen | undefined, facts: DisplayFacts): Screen {
  if (asked === undefined) {
    if (facts.desktop && facts.available.includes('gtk')) return 'gtk';
    return facts.terminal && facts.textScreen && facts.available.includes('curses') ? 'curses' : 'serial';
  }
  const otherwise = 'or choose --display serial';
  if (asked === 'gtk' && !facts.desktop) {
    throw missing(
      'no window can open here: neither DISPLAY nor WAYLAND_DISPLAY is set',
      `log in to a desktop, ${otherwise}`,
    );
  }
  if (asked === 'curses' && !facts.terminal) throw missing('this is no terminal', `run it in one, ${otherwise}`);
  if (asked === 'curses' && !facts.textScreen) {
    throw missing(
      'a machine with UEFI draws its screen in pixels, which no terminal shows',
      `take gtk or vnc, ${otherwise}`,
    );
  }
  if ((asked === 'gtk' || asked === 'curses') && !facts.available.includes(asked)) {
    const debianPackage = asked === 'gtk' ? 'qemu-system-gui' : 'qemu-system-x86';
    throw missing(`QEMU cannot open a ${asked} screen here`, `sudo apt install ${debianPackage}, ${otherwise}`);
  }
  return asked;
}

const missing = (message: string, nextStep: string) => new DisplayError('DISPLAY_MISSING', message, { nextStep });

/** The display that QEMU opens for a screen. */
export const displayOf = (screen: Screen): Display => (screen === 'serial' ? 'none' : screen);

export async function readDisplayFacts(textScreen: boolean): Promise<DisplayFacts> {
  const printed = await runProgram('qemu-system-x86_64', ['-display', 'help'], { debianPackage: 'qemu-system-x86' });
  return {
    desktop: (process.env.DISPLAY ?? '') !== '' || (process.env.WAYLAND_DISPLAY ?? '') !== '',
    terminal: process.stdout.isTTY === true && process.stdin.isTTY === true,
    textScreen,
    available: printed.split('\n').map((line) => line.trim()),
  };
}
