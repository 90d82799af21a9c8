import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../shared/bytes.ts';
import { nodeAttestCrypto } from '../crypto-node.ts';
import { EventType } from '../event-log/event-types.ts';
import { guid, u32, utf16 } from '../event-log/testing/raw-log.ts';
import { type Boot, bootEvents, GOOD_BOOT, referenceValuesOf, replay } from '../testing/boot-node.ts';
import { image, separator, variable, type WrittenEvent, writeEventLog } from '../testing/event-log-writer.ts';
import { evidenceOf } from '../testing/verdicts-node.ts';
import type { ChangeCode } from './change.ts';
import { type Against, explain } from './explain.ts';
import { readBoot } from './read-boot.ts';
import { renderExplanation } from './render.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const bootOf = (events: readonly WrittenEvent[]) =>
  readBoot(
    {
      eventLog: writeEventLog(events, nodeAttestCrypto),
      pcrs: { sha256: Object.fromEntries(replay(events).map((value, index) => [index, value])) },
      imaLog: new Uint8Array(),
      configuration: new Uint8Array(),
    },
    nodeAttestCrypto,
  );
const boot = (change: Partial<Boot> = {}) => bootOf(bootEvents({ ...GOOD_BOOT, ...change }));
const reference: Against = { references: [referenceValuesOf(GOOD_BOOT)], earlier: null };
const earlier: Against = { references: [], earlier: boot() };
const sentences = (seen: ReturnType<typeof boot>, against: Against) =>
  explain(seen, against).changes.map(({ code, sentence }) => ({ code, sentence }));
const codes = (seen: ReturnType<typeof boot>, against: Against) =>
  explain(seen, against).changes.map(({ code }) => code);

describe('the expected boot', () => {
  it.each([
    { name: 'reference values', against: reference, states: ['expected', 'not-compared'] },
    { name: 'the same boot earlier', against: earlier, states: ['expected', 'expected'] },
    { name: 'nothing', against: { references: [], earlier: null }, states: ['not-compared', 'not-compared'] },
  ])('has no changes against $name', ({ against, states }) => {
    const explanation = explain(boot(), against);
    expect(explanation.changes).toEqual([]);
    expect([4, 7].map((index) => explanation.registers[index]?.state)).toEqual(states);
    expect(explanation.registers[13]?.state).toBe('initial');
    expect(explanation.registers[10]?.state).toBe('initial');
  });
});

describe('against the reference values of a release', () => {
  it.each<{ name: string; change: Partial<Boot>; found: readonly ChangeCode[]; says: RegExp }>([
    {
      name: 'a kernel parameter added in the boot menu',
      change: { parameters: `${GOOD_BOOT.parameters} init=/bin/sh` },
      found: ['KERNEL_PARAMETERS_CHANGED', 'GRUB_CONFIG_CHANGED'],
      says: /other parameters than in cpushare-seller 0\.1\.0: added init=\/bin\/sh\./,
    },
    {
      name: 'a kernel parameter left out',
      change: { parameters: 'quiet' },
      found: ['KERNEL_PARAMETERS_CHANGED', 'GRUB_CONFIG_CHANGED'],
      says: /left out lockdown=confidentiality\./,
    },
    {
      name: 'a kernel update',
      change: { kernel: 'next kernel', initrd: 'next initrd' },
      found: ['KERNEL_UPDATED'],
      says: /^A kernel update: the kernel is another one than in .*, and with it another initrd\.$/,
    },
    {
      name: 'another initrd',
      change: { initrd: 'other' },
      found: ['INITRD_CHANGED'],
      says: /initrd is another one.*the kernel is the same/,
    },
    {
      name: 'another GRUB command',
      change: { extraCommands: ['insmod evil'] },
      found: ['GRUB_COMMANDS_CHANGED', 'GRUB_CONFIG_CHANGED'],
      says: /"insmod evil" came/,
    },
    {
      name: 'another grub.cfg',
      change: { remark: '# mine' },
      found: ['GRUB_CONFIG_CHANGED'],
      says: /another grub\.cfg/,
    },
    { name: 'another shim', change: { shim: 'other' }, found: ['BOOT_LOADER_CHANGED'], says: /^Shim is another one/ },
    { name: 'another GRUB', change: { grub: 'other' }, found: ['BOOT_LOADER_CHANGED'], says: /^GRUB is another one/ },
    {
      name: 'a machine owner key',
      change: { mokList: 'mine' },
      found: ['MOK_ENROLLED'],
      says: /A machine owner key \(MOK\) was enrolled/,
    },
  ])('names $name', ({ change, found, says }) => {
    const said = sentences(boot(change), reference);
    expect(said.map(({ code }) => code)).toEqual(found);
    expect(said[0]?.sentence).toMatch(says);
  });

  it('does not take an unknown list for an enrolled key where shim itself is another one', () => {
    expect(codes(boot({ shim: 'other', mokList: 'other' }), reference)).toContain('MOK_LIST_CHANGED');
  });

  it('finds the release that fits nearest, and says how near each is', () => {
    const next = referenceValuesOf({ ...GOOD_BOOT, initrd: 'next' }, '0.2.0');
    const explanation = explain(boot({ initrd: 'next', kernel: 'other' }), {
      ...reference,
      references: [...reference.references, next],
    });
    expect(explanation.nearest?.all).toEqual([
      { name: 'cpushare-seller 0.2.0', differences: 2 },
      { name: 'cpushare-seller 0.1.0', differences: 4 },
    ]);
    expect(explanation.changes.map(({ code }) => code)).toEqual(['KERNEL_UPDATED']);
  });

  it('says when two boots are two known releases', () => {
    const next = referenceValuesOf({ ...GOOD_BOOT, initrd: 'next' }, '0.2.0');
    const against = { references: [...reference.references, next], earlier: boot() };
    const [first] = sentences(boot({ initrd: 'next' }), against);
    expect(first).toMatchObject({
      code: 'OTHER_RELEASE',
      sentence: expect.stringContaining('runs cpushare-seller 0.2.0; at the earlier boot it was cpushare-seller 0.1.0'),
    });
  });
});

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

describe('a register that the log does not lead to', () => {
  it('is unexplained, whatever its events say', () => {
    const good = boot();
    const seen = { ...good, pcrs: new Map([...good.pcrs, [8, new Uint8Array(32).fill(1)]]) };
    expect(explain(seen, reference).registers[8]?.state).toBe('unexplained');
    const silent = { ...good, pcrs: new Map([...good.pcrs, [11, new Uint8Array(32).fill(1)]]) };
    expect(explain(silent, reference).registers[11]?.state).toBe('unexplained');
  });
});

describe('in print', () => {
  it('has two columns within 80, the changes first', () => {
    const text = renderExplanation(explain(boot({ parameters: 'quiet init=/bin/sh', kernel: 'other' }), reference));
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(text).toContain('[KERNEL_PARAMETERS_CHANGED]');
    expect(text).toMatch(/^ {4}expected: cpushare-seller 0\.1\.0 {7}seen$/m);
    expect(text).toMatch(/^ {2}~ GRUB command: linux/m);
    expect(text.indexOf('What changed')).toBeLessThan(text.indexOf('Register by register'));
  });

  it('shows control characters of a log and does not send them', () => {
    const text = renderExplanation(explain(boot({ extraCommands: ['echo \u001b[2J'] }), reference), { all: true });
    expect(text).not.toContain('\u001b');
    expect(text).toContain('\\u001b[2J');
  });

  it('shows everything when asked', () => {
    const text = renderExplanation(explain(boot(), { references: [], earlier: null }), { all: true });
    expect(text).toContain('variable SecureBoot: on');
    expect(text).toContain('There was nothing to compare with.');
  });
});

it('loses nothing of logs too long to be aligned', () => {
  const many = (salt: string) =>
    bootOf([
      separator(0),
      ...Array.from({ length: 5000 }, (_, index) => ({
        pcr: 5,
        type: EventType.EFI_ACTION,
        data: bytes(`${salt}${index}`),
      })),
    ]);
  const explanation = explain(many('a'), { references: [], earlier: many('b') });
  expect(explanation.registers[5]?.pairs).toHaveLength(10_000);
});

describe('the running system', () => {
  const running = (change: Partial<Boot> = {}) => readBoot(evidenceOf(change), nodeAttestCrypto);
  const configuration = bytes('{"broker":"https://b"}');

  it.each<{ name: string; now: ReturnType<typeof running>; against: Against; code: ChangeCode; says: RegExp }>([
    {
      name: 'a module that is not of the image',
      now: running({ modules: ['loop.ko', 'rootkit.ko'] }),
      against: reference,
      code: 'KERNEL_MODULES_CHANGED',
      says: /not those in cpushare-seller 0\.1\.0: it loaded what calls itself \/m\/rootkit\.ko\.$/,
    },
    {
      name: 'modules for other hardware',
      now: running({ modules: ['loop.ko', 'e1000e.ko'] }),
      against: { references: [], earlier: running() },
      code: 'KERNEL_MODULES_CHANGED',
      says: /at the earlier boot: it loaded what calls itself \/m\/e1000e\.ko, and did not load \/m\/overlay\.ko\.$/,
    },
    {
      name: 'another configuration',
      now: running({ configuration }),
      against: { references: [], earlier: running({ configuration: bytes('{}') }) },
      code: 'CONFIGURATION_CHANGED',
      says: /seller's configuration is not the one at the earlier boot/,
    },
  ])('names $name', ({ now, against, code, says }) => {
    const said = sentences(now, against);
    expect(said.map((each) => each.code)).toEqual([code]);
    expect(said[0]?.sentence).toMatch(says);
  });

  it('loads modules of the image in any order', () => {
    const now = running({ modules: ['overlay.ko', 'loop.ko'] });
    expect(sentences(now, { references: [], earlier: running() })).toEqual([]);
    expect(explain(now, reference).registers[10]?.state).toBe('expected');
  });

  it('is unexplained where its records do not lead to the registers', () => {
    const { imaLog } = evidenceOf({ modules: ['other.ko'] });
    const other = readBoot({ ...evidenceOf(), imaLog, configuration }, nodeAttestCrypto);
    const garbage = readBoot({ ...evidenceOf(), imaLog: bytes('garbage') }, nodeAttestCrypto);
    const states = (seen: typeof other) => [10, 12].map((index) => explain(seen, reference).registers[index]?.state);
    expect(states(other)).toEqual(['unexplained', 'unexplained']);
    expect(states(garbage)).toEqual(['unexplained', 'initial']);
  });
});
