import { describe, expect, it } from 'vitest';
import { EventType } from '../event-log/event-types.ts';
import { type Boot, GOOD_BOOT, referenceValuesOf } from '../testing/boot-node.ts';
import { separator } from '../testing/event-log-writer.ts';
import type { ChangeCode } from './change.ts';
import { explain } from './explain.ts';
import { renderExplanation } from './render.ts';
import { boot, bootOf, bytes, codes, earlier, reference, sentences } from './testing/boots-node.ts';

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
