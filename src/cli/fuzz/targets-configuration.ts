/** What the owner of a machine may put before the sell client. */
import { valueIn } from '../../sell-client/configuration/guestinfo.ts';
import { measuredForm, WITHHELD } from '../../sell-client/configuration/measured-form.ts';
import { parseConfiguration } from '../../sell-client/configuration/parse-configuration.ts';
import { askRpci } from '../../sell-client/configuration/rpci.ts';
import { configurationInSmbios, oemStrings } from '../../sell-client/configuration/smbios.ts';
import { findLastPanic } from '../../sell-client/hardware/last-panic.ts';
import { BrokenRule, type Target } from './target.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const configuration = bytes(JSON.stringify({ broker: 'https://10.0.2.2:42007', brokerPin: 'ab'.repeat(32) }));
const withWifi = bytes(
  JSON.stringify({
    broker: 'https://10.0.2.2:42007',
    brokerPin: 'ab'.repeat(32),
    wifi: { networkName: 'Home', key: 'correct horse', hidden: true },
  }),
);
const encoded = Buffer.from(configuration).toString('base64url');

/** DSP0134 §6.1: a system structure without strings, the OEM strings, the end. */
const table = (strings: string): Uint8Array =>
  bytes(
    `\u0001\u0004\u0001\u0000\u0000\u0000\u000b\u0005\u0002\u0000\u0002${strings}\u0000\u0000\u007f\u0004\u0003\u0000\u0000\u0000`,
  );

export function configurationTargets(): readonly Target[] {
  return [
    {
      name: 'smbios',
      shape: 'bytes',
      seeds: [table(`vendor\u0000cpushare:${encoded}`), table('cpushare:{"broker":"https://b:1"}')],
      maxBytes: 65_536,
      baseMs: 20,
      run: readSmbios,
    },
    { name: 'guestinfo', shape: 'bytes', seeds: [answers()], maxBytes: 20_000, baseMs: 20, run: readGuestinfo },
    {
      name: 'configuration',
      shape: 'json',
      seeds: [configuration, withWifi],
      maxBytes: 65_536,
      baseMs: 20,
      run: readConfiguration,
    },
    { name: 'last-panic', shape: 'bytes', seeds: [panic()], maxBytes: 65_536, baseMs: 20, run: readLastPanic },
  ];
}

/** Registers as a hypervisor leaves them, 20 bytes a call: a channel, a request of three words, the reply, the end. */
function answers(): Uint8Array {
  const reply = Buffer.from(`1 ${encoded}`);
  const words = Buffer.concat([reply, Buffer.alloc(4)]);
  const received = Array.from({ length: Math.ceil(reply.length / 4) }, (_, index) => words.readUInt32LE(4 * index));
  const calls = [0, 0, 0, 0, 0, reply.length, ...received, 0, 0].flatMap((ebx) => [ebx, 0x30000, 0, 0, 0]);
  return new Uint8Array(Uint32Array.from(calls).buffer);
}

const RELEASE = '6.12.117+deb13-amd64';

/** Two parts of a kernel's log as pstore shows them, with a zero between. */
function panic(): Uint8Array {
  const end = 'Panic#1 Part1\n<4>[   40.536109] Call Trace:\n';
  const start = `Panic#1 Part2\n<0>[ 40.5] Kernel panic - not syncing: x\n<4>[ 40.6] Comm: y Not tainted ${RELEASE} #1\n`;
  return bytes(`${end}\0${start}`);
}

function readLastPanic(input: Uint8Array): void {
  const texts = Buffer.from(input).toString('latin1').split('\0');
  const records = texts.map((text, index) => ({ name: `dmesg-efi_pstore-${index}`, atSeconds: index, text }));
  const found = findLastPanic(records, RELEASE);
  if (found !== null && !/^[\x20-\x7e]{0,120}$/.test(found.reason))
    throw new BrokenRule('a reason that no screen takes');
}

function readGuestinfo(input: Uint8Array): void {
  const fields = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const word = (at: number): number => (at + 4 <= input.length ? fields.getUint32(at, true) : 0);
  const conversation = askRpci(bytes('info-get x'), 4000);
  let step = conversation.next();
  for (let at = 0; step.done !== true; at += 20) {
    const [ebx = 0, ecx = 0, edx = 0, esi = 0, edi = 0] = [0, 4, 8, 12, 16].map((field) => word(at + field));
    step = conversation.next({ ebx, ecx, edx, esi, edi });
  }
  if (step.value.length > 4000) throw new BrokenRule('a reply beyond its limit');
  const found = valueIn(step.value);
  if (found !== null) readConfiguration(found);
}

function readSmbios(input: Uint8Array): void {
  if (oemStrings(input).some((one) => one.length === 0 || one.includes(0))) throw new BrokenRule('a string with a NUL');
  const found = configurationInSmbios(input);
  if (found !== null) readConfiguration(found);
}

function readConfiguration(input: Uint8Array): void {
  const { broker, brokerPin, wifi, ...more } = parseConfiguration(input);
  const measured = JSON.parse(
    Buffer.from(measuredForm(input))
      .toString()
      .replace(/^\ufeff/, ''),
  ) as { wifi?: unknown };
  if (wifi !== undefined && measured.wifi !== WITHHELD) throw new BrokenRule('the Wi-Fi part is measured');
  if (!/^https:\/\//.test(broker) || !/^[0-9a-f]{64}$/.test(brokerPin)) throw new BrokenRule('a value out of its form');
  if (Object.keys(more).length > 0) throw new BrokenRule('a key that the schema does not name');
}
