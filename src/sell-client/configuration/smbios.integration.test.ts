/** The structure table as QEMU builds it and SeaBIOS places it, read out of the machine's memory. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChild } from '../../../scripts/run/child.ts';
import { connectQmp } from '../../../scripts/run/qmp.ts';
import { waitFor } from '../../../scripts/run/wait.ts';
import { configurationInSmbios, oemStrings } from './smbios.ts';

const json = JSON.stringify({ broker: 'https://10.0.2.2:42007', brokerPin: 'ab'.repeat(32) });
const MEMORY_MIB = 64;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'smbios-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What /sys/firmware/dmi/tables/DMI would hold: found by the 64-bit entry point (DSP0134 §5.2.2). */
async function tableOfMachine(...options: string[]): Promise<Uint8Array> {
  const socket = join(folder, 'qmp.sock');
  const memory = join(folder, 'memory');
  await rm(socket, { force: true });
  const qemu = await startChild(
    'qemu-system-x86_64',
    [
      ...['-nodefaults', '-no-user-config', '-display', 'none', '-m', `${MEMORY_MIB}M`],
      ...['-machine', 'q35,smbios-entry-point-type=64', '-accel', 'tcg', '-qmp', `unix:${socket},server=on,wait=off`],
      ...options,
    ],
    { debianPackage: 'qemu-system-x86' },
  );
  try {
    const qmp = await connectQmp(socket, qemu);
    const table = await waitFor(
      async () => {
        const whole = { val: 0, size: MEMORY_MIB * 2 ** 20, filename: memory };
        await qmp.execute('pmemsave', whole);
        const bytes = await readFile(memory);
        const entry = entryPoint(bytes);
        if (entry === undefined) return undefined;
        const at = Number(bytes.readBigUInt64LE(entry + 16));
        const length = bytes.readUInt32LE(entry + 12);
        const found = new Uint8Array(bytes.subarray(at, at + length));
        return found.some((byte) => byte !== 0) ? found : undefined;
      },
      { what: 'the SMBIOS table', timeoutMs: 30_000, pollMs: 200, whileRunning: qemu },
    );
    qmp.close();
    return table;
  } finally {
    await qemu.stop();
  }
}

/** On a paragraph of the BIOS's segment, with the structure's own length behind it: SeaBIOS's code holds the word too. */
function entryPoint(memory: Buffer): number | undefined {
  for (let at = 0xf0000; at < 0x100000; at += 16) {
    if (memory.toString('latin1', at, at + 5) === '_SM3_' && memory[at + 6] === 24) return at;
  }
  return undefined;
}

describe('SMBIOS as QEMU makes it', () => {
  it('carries the configuration in -smbios type=11,value=…, beside other strings', async () => {
    const value = `cpushare:${Buffer.from(json).toString('base64url')}`;
    const table = await tableOfMachine('-smbios', 'type=11,value=other', '-smbios', `type=11,value=${value}`);
    expect(oemStrings(table).map((one) => Buffer.from(one).toString())).toEqual(['other', value]);
    expect(Buffer.from(configurationInSmbios(table) ?? []).toString()).toBe(json);
  });

  it('carries JSON from a file, longer than a command line is nice for', async () => {
    const file = join(folder, 'oem-string');
    const long = json.replace('}', `${' '.repeat(5000)}}`);
    await writeFile(file, `cpushare:${long}`);
    const table = await tableOfMachine('-smbios', `type=11,path=${file}`);
    expect(Buffer.from(configurationInSmbios(table) ?? []).toString()).toBe(long);
  });

  it('has none of ours by itself', async () => {
    expect(configurationInSmbios(await tableOfMachine())).toBeNull();
  });
});
