/** Somebody at the machine's keyboard: keys as QEMU's PS/2 keyboard sends them. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Qmp } from '../../../scripts/run/qmp.ts';

const HOLD_MS = 30;

/** Keys held together, by QEMU's names: `ctrl`, `alt`, `sysrq`, `f2` … */
export async function press(qmp: Qmp, ...keys: readonly string[]): Promise<void> {
  await qmp.execute('send-key', { keys: keys.map((data) => ({ type: 'qcode', data })), 'hold-time': HOLD_MS });
  // QEMU queues what comes in the meantime, and drops what is more than its queue holds.
  await delay(HOLD_MS * 2);
}

export async function type(qmp: Qmp, text: string): Promise<void> {
  for (const character of text) await press(qmp, ...keysOf(character));
}

const PLAIN: Readonly<Record<string, string>> = {
  ' ': 'spc',
  '\n': 'ret',
  '-': 'minus',
  '=': 'equal',
  '/': 'slash',
  '.': 'dot',
  ',': 'comma',
  "'": 'apostrophe',
  '[': 'bracket_left',
  ']': 'bracket_right',
  ';': 'semicolon',
};
const SHIFTED: Readonly<Record<string, string>> = {
  '(': '9',
  ')': '0',
  _: 'minus',
  ':': 'semicolon',
  '"': 'apostrophe',
  $: '4',
  '!': '1',
};

function keysOf(character: string): string[] {
  if (/[a-z0-9]/.test(character)) return [character];
  if (/[A-Z]/.test(character)) return ['shift', character.toLowerCase()];
  const [plain, shifted] = [PLAIN[character], SHIFTED[character]];
  if (plain !== undefined) return [plain];
  if (shifted !== undefined) return ['shift', shifted];
  throw new Error(`no key for ${JSON.stringify(character)}`);
}
