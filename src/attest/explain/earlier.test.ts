import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../shared/bytes.ts';
import { EventType } from '../event-log/event-types.ts';
import { guid, u32, utf16 } from '../event-log/testing/raw-log.ts';
import { bootEvents, GOOD_BOOT } from '../testing/boot-node.ts';
import { image, variable, type WrittenEvent } from '../testing/event-log-writer.ts';
import type { ChangeCode } from './change.ts';
import { explain } from './explain.ts';
import { boot, bootOf, bytes, earlier, sentences } from './testing/boots-node.ts';

describe('against an earlier boot', () => {
  /** The good boot with one event changed. */
  const withEvent = (is: (event: WrittenEvent) => boolean, ...put: WrittenEvent[]) => {
    const events = bootEvents(GOOD_BOOT);
    const at = events.findIndex(is);
    expect(at).not.toBe(-1);
    return [...events.slice(0, at), ...put, ...events.slice(at + 1)];
  };
  const isVariable = (name: string) => (event: WrittenEvent) =>
    event.type === EventType.EFI_VARIABLE_DRIVER_CONFIG && Buffer.from(event.data).includes(Buffer.from(utf16(name)));
  const isType = (type: number, pcr: number) => (event: WrittenEvent) => event.type === type && event.pcr === pcr;
  const ahead = (is: (event: WrittenEvent) => boolean, ...put: WrittenEvent[]) => {
    const event = bootEvents(GOOD_BOOT).find(is);
    return withEvent(is, ...put, ...(event === undefined ? [] : [event]));
  };
  /** EFI_SIGNATURE_LIST of SHA-256 hashes, each a repeated byte. */
  const hashes = (...fill: number[]): Uint8Array =>
    concatBytes(
      guid('c1c41626-504c-4092-aca9-41f936934328'),
      u32(28 + 48 * fill.length),
      u32(0),
      u32(48),
      ...fill.flatMap((byte) => [new Uint8Array(16), new Uint8Array(32).fill(byte)]),
    );
  const dbx = (...fill: number[]) => withEvent(isVariable('dbx'), variable('dbx', hashes(...fill)));
  const mok = (name: string, content: string): WrittenEvent => ({
    pcr: 14,
    type: EventType.IPL,
    data: bytes(`${name}\0`),
    measured: bytes(content),
  });
  const separatorOf = (pcr: number) => isType(EventType.SEPARATOR, pcr);
  const crtm = (version: string): WrittenEvent => ({ pcr: 0, type: EventType.S_CRTM_VERSION, data: utf16(version) });
  const sbat = (date: string) =>
    variable('SbatLevel', bytes(`sbat,1,${date}\nshim,4\n`), EventType.EFI_VARIABLE_AUTHORITY);
  const onMedium = (path: Uint8Array): WrittenEvent => {
    const { data, ...rest } = image(bytes(GOOD_BOOT.shim));
    return { ...rest, data: concatBytes(data.subarray(0, 24), u32(path.length), u32(0), path) };
  };
  const isShim = (event: WrittenEvent): boolean => event.type === EventType.EFI_BOOT_SERVICES_APPLICATION;
  const NODE = {
    cd: Uint8Array.of(4, 2, 24, 0, ...new Array(20).fill(0)),
    usb: Uint8Array.of(3, 5, 6, 0, 1, 0),
    end: Uint8Array.of(0x7f, 0xff, 4, 0),
  };
  const microcode: WrittenEvent = { pcr: 1, type: EventType.CPU_MICROCODE, data: bytes('m1') };

  it.each<{
    name: string;
    now: readonly WrittenEvent[];
    was?: readonly WrittenEvent[];
    code: ChangeCode;
    says: RegExp;
  }>([
    {
      name: 'Secure Boot off',
      now: bootEvents({ ...GOOD_BOOT, secureBoot: false }),
      code: 'SECURE_BOOT_SWITCHED_OFF',
      says: /switched off; it was on at the earlier boot/,
    },
    {
      name: 'Secure Boot on',
      now: bootEvents(GOOD_BOOT),
      was: bootEvents({ ...GOOD_BOOT, secureBoot: false }),
      code: 'SECURE_BOOT_SWITCHED_ON',
      says: /switched on; it was off/,
    },
    {
      name: 'no platform key',
      now: withEvent(isVariable('PK'), variable('PK', new Uint8Array())),
      code: 'SETUP_MODE_ENTERED',
      says: /platform key is gone/,
    },
    {
      name: 'another db',
      now: withEvent(isVariable('db'), variable('db', hashes(1))),
      code: 'SECURE_BOOT_KEYS_CHANGED',
      says: /keys in db are not those at the earlier boot: added sha256 0101010101010101…/,
    },
    {
      name: 'a dbx update',
      now: dbx(1, 2, 3),
      was: dbx(1),
      code: 'DBX_UPDATED',
      says: /\(dbx\) was updated: 2 entries came\./,
    },
    {
      name: 'a dbx consolidated',
      now: dbx(2, 3),
      was: dbx(1),
      code: 'DBX_UPDATED',
      says: /2 entries came, and 1 entry went\./,
    },
    { name: 'a dbx rolled back', now: dbx(1), was: dbx(1, 2), code: 'DBX_ROLLED_BACK', says: /lost 1 entry/ },
    {
      name: 'another SBAT level',
      now: ahead(separatorOf(6), sbat('2025021800')),
      was: ahead(separatorOf(6), sbat('2024010900')),
      code: 'SBAT_LEVEL_CHANGED',
      says: /2025021800, before 2024010900/,
    },
    {
      name: 'another authority',
      now: withEvent(
        isType(EventType.EFI_VARIABLE_AUTHORITY, 7),
        variable('db', bytes('other'), EventType.EFI_VARIABLE_AUTHORITY),
      ),
      code: 'BOOT_AUTHORITY_CHANGED',
      says: /vouched for by/,
    },
    {
      name: 'a MokList that came',
      now: ahead((event) => event.pcr === 14, mok('MokListTrusted', 'x')),
      code: 'MOK_ENROLLED',
      says: /MokListTrusted is not as at the earlier boot/,
    },
    {
      name: 'another MokList',
      now: withEvent((event) => event.pcr === 14, mok('MokList', 'x')),
      code: 'MOK_LIST_CHANGED',
      says: /enrolled or deleted/,
    },
    {
      name: "shim's check off",
      now: ahead((event) => event.pcr === 14, mok('MokSBState', 'x')),
      code: 'MOK_VALIDATION_OFF',
      says: /disable-validation/,
    },
    {
      name: 'a firmware update',
      now: withEvent(isType(EventType.S_CRTM_VERSION, 0), crtm('1.1')),
      code: 'FIRMWARE_UPDATED',
      says: /its version is "1\.1", at the earlier boot it was "1\.0"/,
    },
    {
      name: 'other firmware code',
      now: ahead(separatorOf(0), {
        pcr: 0,
        type: EventType.POST_CODE,
        data: bytes('POST CODE'),
        measured: bytes('x'),
      }),
      code: 'FIRMWARE_CODE_CHANGED',
      says: /states the same version/,
    },
    {
      name: 'new microcode',
      now: ahead(separatorOf(1), microcode),
      code: 'MICROCODE_UPDATED',
      says: /microcode is another one/,
    },
    {
      name: 'a firmware setting',
      now: ahead(separatorOf(1), { pcr: 1, type: EventType.PLATFORM_CONFIG_FLAGS, data: bytes('x') }),
      code: 'FIRMWARE_SETTINGS_CHANGED',
      says: /1 measurements in register 1/,
    },
    {
      name: 'a card that came',
      now: ahead(separatorOf(2), { ...image(bytes('rom')), pcr: 2, type: EventType.EFI_BOOT_SERVICES_DRIVER }),
      code: 'CARD_FIRMWARE_CHANGED',
      says: /came that was not there/,
    },
    {
      name: 'a card that went',
      now: bootEvents(GOOD_BOOT),
      was: ahead(separatorOf(2), { ...image(bytes('rom')), pcr: 2 }),
      code: 'CARD_FIRMWARE_CHANGED',
      says: /is gone that was there/,
    },
    {
      name: 'another boot order',
      now: withEvent(isType(EventType.EFI_VARIABLE_BOOT, 1), {
        ...variable('BootOrder', Uint8Array.of(1, 0, 0, 0), EventType.EFI_VARIABLE_BOOT),
        pcr: 1,
      }),
      code: 'BOOT_ORDER_CHANGED',
      says: /boot order is 0001, 0000, at the earlier boot it was 0000/,
    },
    {
      name: 'a boot entry that came',
      now: ahead(separatorOf(1), { ...variable('Boot0007', new Uint8Array(4), EventType.EFI_VARIABLE_BOOT), pcr: 1 }),
      code: 'BOOT_ORDER_CHANGED',
      says: /list of boot entries/,
    },
    {
      name: 'another medium',
      now: withEvent(isShim, onMedium(concatBytes(NODE.usb, NODE.end))),
      was: withEvent(isShim, onMedium(concatBytes(NODE.cd, NODE.end))),
      code: 'BOOT_MEDIUM_CHANGED',
      says: /booted from a USB device, at the earlier boot it was a CD or DVD; .* not proven/,
    },
    {
      name: 'a boot loader before shim',
      now: ahead(isShim, image(bytes('first'))),
      code: 'BOOT_LOADER_CHANGED',
      says: /^The first boot loader \(shim\) was started that was not/,
    },
    {
      name: 'something else',
      now: ahead(separatorOf(5), { pcr: 5, type: EventType.EFI_ACTION, data: bytes('Strange') }),
      code: 'MEASUREMENT_CHANGED',
      says: /Register 5 has other measurements.*"Strange" came/,
    },
  ])('names $name', ({ now, was, code, says }) => {
    const said = sentences(bootOf(now), { references: [], earlier: was === undefined ? boot() : bootOf(was) });
    expect(said.map((each) => each.code)).toEqual([code]);
    expect(said[0]?.sentence).toMatch(says);
  });

  it("names a kernel by the path in GRUB's command, which its digest proves", () => {
    const events = (path: string) =>
      bootEvents(GOOD_BOOT).map((event) => {
        const swap = (data: Uint8Array) => bytes(new TextDecoder().decode(data).replaceAll('/boot/vmlinuz', path));
        return event.pcr === 8 && event.measured !== undefined
          ? { ...event, data: swap(event.data), measured: swap(event.measured) }
          : event;
      });
    const [first, ...others] = sentences(bootOf(events('/boot/vmlinuz-6.12.9')), {
      references: [],
      earlier: bootOf(events('/boot/vmlinuz-6.12.8')),
    });
    expect(first).toEqual({
      code: 'KERNEL_UPDATED',
      sentence:
        'A kernel update: the kernel is another one than at the earlier boot, /boot/vmlinuz-6.12.9 in place of /boot/vmlinuz-6.12.8.',
    });
    expect(others).toEqual([]);
  });

  it('says every pair that differs, whatever it is', () => {
    const strange = bootEvents(GOOD_BOOT).map((event, index) =>
      index % 3 === 0 ? { ...event, measured: bytes(`${index}`) } : event,
    );
    const explanation = explain(bootOf(strange), earlier);
    const covered = new Set(explanation.changes.flatMap(({ pairs }) => pairs));
    const differing = explanation.registers.flatMap(({ pairs }) => pairs.filter(({ kind }) => kind !== 'same'));
    expect(differing.length).toBeGreaterThan(5);
    expect(differing.filter((pair) => !covered.has(pair))).toEqual([]);
  });
});
