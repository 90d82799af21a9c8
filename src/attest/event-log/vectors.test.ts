/** Real logs of real machines, where they are at hand (../shared/vectors); sources and licences in the README of each folder. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../shared/bytes.ts';
import { nodeAttestCrypto } from '../crypto/crypto-node.ts';
import { decodeEvent } from './decode.ts';
import { LogError } from './little-endian.ts';
import { parseEventLog } from './parse.ts';
import { reportEventLog } from './report.ts';

const vectors = new URL('../../../../shared/vectors/', import.meta.url);
const present = existsSync(vectors);
const bytesOf = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(path, vectors)));
const jsonOf = (path: string) => JSON.parse(readFileSync(new URL(path, vectors), 'utf8'));

interface IndexEntry {
  readonly eventlog?: string;
  readonly parse: string;
}
const index: IndexEntry[] = present ? jsonOf('INDEX.json') : [];
const logs = [...new Set(index.filter((each) => each.parse === 'ok').flatMap((each) => each.eventlog ?? []))];
const beside = (log: string, suffix: string): string => log.replace(/\.eventlog\.bin$/, suffix);

describe.skipIf(!present)(present ? 'real event logs' : 'real event logs (skipped: no vectors)', () => {
  it('are there', () => expect(logs.length).toBeGreaterThan(40));

  it.each(logs)('%s replays to the registers on record', (log) => {
    const { banks } = reportEventLog(parseEventLog(bytesOf(log), { padding: 'allow' }), nodeAttestCrypto);
    const replayed = beside(log, '.replayed.json');
    if (existsSync(new URL(replayed, vectors))) expect(banks).toMatchObject(jsonOf(replayed).banks);
    const published = beside(log, '.pcrs.json');
    if (!existsSync(new URL(published, vectors)) || log.includes('Altered')) return;
    const known: Record<string, Record<string, string>> = jsonOf(published).banks;
    for (const [bank, registers] of Object.entries(known)) {
      for (const [pcr, value] of Object.entries(banks[bank] ?? {})) {
        if (registers[pcr] !== undefined && Number(pcr) < 10)
          expect(value, `${bank} ${pcr}`).toBe(registers[pcr].toLowerCase());
      }
    }
  });

  it.each(logs)('%s binds what the profile says it binds', (log) => {
    const parsed = parseEventLog(bytesOf(log), { padding: 'allow' });
    const bank = parsed.banks.includes('sha256') ? 'sha256' : 'sha1';
    for (const event of parsed.events) {
      const decoded = decodeEvent(event, bank, nodeAttestCrypto);
      const kind = decoded.detail.kind;
      if (kind === 'grub-command' || kind === 'kernel-command-line') {
        expect(decoded).toMatchObject({ trust: 'bound', boundBy: 'body' });
      }
      if (kind === 'image' || kind === 'file') expect(decoded.trust).toBe('unproven');
      if (decoded.event.type === 0x800000e0) expect(decoded.trust).toBe('bound');
    }
  });

  it('a log that is none is refused', () => {
    expect(() =>
      parseEventLog(bytesOf('keylime_keylime/binary_bios_measurements-bogus.eventlog.bin'), { padding: 'allow' }),
    ).toThrow(LogError);
  });

  it('our own recording: refused at every cut within an event, and never accepted with a byte more', () => {
    const bytes = bytesOf('debian13-qemu-cd/eventlog.bin');
    const whole = parseEventLog(bytes, { padding: 'refuse' });
    let cleanCuts = 0;
    for (let length = 0; length < bytes.length; length += 1) {
      try {
        const cut = parseEventLog(bytes.subarray(0, length), { padding: 'refuse' });
        expect(cut.events.length).toBeLessThan(whole.events.length);
        cleanCuts += 1;
      } catch (error) {
        expect(error).toBeInstanceOf(LogError);
      }
    }
    expect(cleanCuts).toBe(whole.events.length - 1); // only between two events
    expect(() => parseEventLog(Uint8Array.from([...bytes, 0]), { padding: 'refuse' })).toThrow(
      expect.objectContaining({ code: 'LOG_TRAILING_BYTES' }),
    );
  });

  it('our own recording: registers 8 and 9 in words', () => {
    const log = parseEventLog(bytesOf('debian13-qemu-cd/eventlog.bin'), { padding: 'refuse' });
    const texts = log.events
      .map((event) => decodeEvent(event, 'sha256', nodeAttestCrypto))
      .flatMap(({ detail }) => ('text' in detail && detail.kind !== 'text' ? [detail.text] : []));
    expect(texts).toEqual([
      'search --no-floppy --fs-uuid --set=root 2023-11-14-22-13-20-00',
      'linux /boot/vmlinuz console=tty0 console=ttyS0,115200 lockdown=confidentiality panic=10',
      '/boot/vmlinuz console=tty0 console=ttyS0,115200 lockdown=confidentiality panic=10',
      'initrd /boot/initrd.img',
      'boot',
    ]);
    const { banks } = reportEventLog(log, nodeAttestCrypto);
    for (const line of readFileSync(new URL('debian13-qemu-cd/pcr-sha256.txt', vectors), 'utf8').trim().split('\n')) {
      const [pcr = '', value = ''] = line.split(' ');
      if (Number(pcr) < 10 || pcr === '14') expect(banks.sha256?.[pcr]).toBe(value.toLowerCase());
    }
    expect(toHex(log.events[0]?.data.subarray(0, 4) ?? new Uint8Array())).toBe('53706563');
  });
});
