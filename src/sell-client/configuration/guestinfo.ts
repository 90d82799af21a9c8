/** VMware's `guestinfo.cpushare`: asked for only in a machine that says it is VMware's. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { decodeCarriedValue, MAX_VALUE_BYTES } from './carried-value.ts';
import { askRpci, type Registers } from './rpci.ts';

export const GUESTINFO_KEY = 'guestinfo.cpushare';

export interface GuestinfoPlaces {
  /** /sys/class/dmi/id/sys_vendor */
  readonly systemVendor: string;
  /** The program that makes the calls: five 32-bit registers in, five out, each time. */
  readonly backdoor: string;
}

const TIMEOUT_MS = 20_000;
const FRAME_BYTES = 20;
const NAMES = ['ebx', 'ecx', 'edx', 'esi', 'edi'] as const;

/** `null`: no VMware, or no such value. @throws RpciError, ValueError */
export async function configurationInGuestinfo(places: GuestinfoPlaces): Promise<Uint8Array | null> {
  const vendor = await readFile(places.systemVendor, 'latin1').catch(() => '');
  if (!vendor.startsWith('VMware')) return null;
  const conversation = askRpci(new TextEncoder().encode(`info-get ${GUESTINFO_KEY}`), MAX_VALUE_BYTES + 2);
  const reply = await converse(conversation, places.backdoor);
  return reply === null ? null : valueIn(reply);
}

/** "1 VALUE", or "0 WHY-NOT". */
export function valueIn(reply: Uint8Array): Uint8Array | null {
  const text = Buffer.from(reply).toString('latin1').replace(/\0+$/, '');
  return text.startsWith('1 ') ? decodeCarriedValue(Buffer.from(text.slice(2), 'latin1'), GUESTINFO_KEY) : null;
}

/** `null` when the program ends before the conversation does: then this is not VMware, whatever it says of itself. */
async function converse(conversation: ReturnType<typeof askRpci>, program: string): Promise<Uint8Array | null> {
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'ignore'], timeout: TIMEOUT_MS });
  child.on('error', () => undefined); // ENOENT: seen as an end of its output
  child.stdin.on('error', () => undefined);
  try {
    const answers = frames(child.stdout);
    let step = conversation.next();
    while (step.done !== true) {
      child.stdin.write(encode(step.value));
      const answer = await answers.next();
      if (answer.done === true) return null;
      step = conversation.next(answer.value);
    }
    return step.value;
  } finally {
    child.stdin.destroy();
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
}

async function* frames(output: Readable): AsyncGenerator<Registers, undefined> {
  let held = Buffer.alloc(0);
  for await (const chunk of output) {
    held = Buffer.concat([held, chunk as Buffer]);
    for (; held.length >= FRAME_BYTES; held = held.subarray(FRAME_BYTES)) yield decode(held);
  }
  return undefined;
}

function encode(registers: Registers): Buffer {
  const frame = Buffer.alloc(FRAME_BYTES);
  for (const [index, name] of NAMES.entries()) frame.writeUInt32LE(registers[name], 4 * index);
  return frame;
}

function decode(frame: Buffer): Registers {
  const [ebx = 0, ecx = 0, edx = 0, esi = 0, edi = 0] = NAMES.map((_, index) => frame.readUInt32LE(4 * index));
  return { ebx, ecx, edx, esi, edi };
}
