/** The consoles show and do not listen: no key and no byte from the serial line reaches a program or the kernel's hot keys. */
import type { Step } from './program.ts';

/** asm-generic/termbits.h */
const IGNBRK = 1;
const OPOST_ONLCR = 0o5;
const [CS8, CREAD, CLOCAL] = [0o60, 0o200, 0o4000];
const B115200 = 0o10002;
const B38400 = 0o17;
const [ISIG, ICANON, ECHO, ECHOE, ICRNL] = [0o1, 0o2, 0o10, 0o20, 0o400];

const TCSETS = 0x5402;
/** linux/kd.h: the keyboard of this console is off, with its hot keys. */
const KDSKBMODE = 0x4b45;
const K_OFF = 4;
/** linux/vt.h: no other console comes to the front. */
const VT_LOCKSWITCH = 0x560b;

/** O_RDWR, never as controlling terminal, without waiting for a line, not for children. */
const OPEN_FLAGS = 0o2 | 0o400 | 0o4000 | 0o2000000;

export function consoleSteps({ serialInput }: { readonly serialInput: boolean }): Step[] {
  return [
    { call: 'open', with: ['/dev/tty1', OPEN_FLAGS, 0], keep: 'screen' },
    { call: 'ioctl', with: [{ kept: 'screen' }, TCSETS, terminal({ input: IGNBRK, control: B38400 | CS8, local: 0 })] },
    { call: 'ioctl', with: [{ kept: 'screen' }, KDSKBMODE, K_OFF] },
    { call: 'ioctl', with: [{ kept: 'screen' }, VT_LOCKSWITCH, 0] },
    // Both stay open: a console that nobody holds goes back to what it was.
    { call: 'open', with: ['/dev/ttyS0', OPEN_FLAGS, 0], keep: 'serial' },
    { call: 'ioctl', with: [{ kept: 'serial' }, TCSETS, serialInput ? TALKING : DEAF] },
  ];
}

/** Without CREAD the driver throws away what comes in. */
const DEAF = terminal({ input: IGNBRK, control: B115200 | CS8 | CLOCAL, local: 0 });
const TALKING = terminal({
  input: IGNBRK | ICRNL,
  control: B115200 | CS8 | CREAD | CLOCAL,
  local: ISIG | ICANON | ECHO | ECHOE,
});

interface Modes {
  readonly input: number;
  readonly control: number;
  readonly local: number;
}

/** struct termios of the kernel: four words of modes, the line discipline, 19 control characters. */
function terminal({ input, control, local }: Modes): Uint8Array {
  const bytes = Buffer.alloc(36);
  for (const [index, word] of [input, OPOST_ONLCR, control, local].entries()) bytes.writeUInt32LE(word, index * 4);
  bytes.set([3, 28, 127, 21, 4, 0, 1], 17); // ^C ^\ DEL ^U ^D, and reads return from the first byte on
  return new Uint8Array(bytes);
}
