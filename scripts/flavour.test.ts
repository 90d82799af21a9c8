import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ImageFlavour, mergeFlavour, parseFlavour } from './flavour.ts';
import { listFlavours, lockOf, readImageSource } from './image-source.ts';
import { parseImageSpec } from './image-spec.ts';
import { formatLock } from './lock-file.ts';
import { projectRoot } from './project.ts';
import { PARTS } from './size-tree/size-tree.ts';

const spec = parseImageSpec(await readFile(join(projectRoot, 'image/image.json'), 'utf8'));
const flavour = (rest: Partial<ImageFlavour>): ImageFlavour => ({
  name: 'test',
  summary: 'for tests',
  add: {},
  budgets: {},
  ...rest,
});

describe('the flavours of this checkout', async () => {
  const names = await listFlavours(projectRoot);

  it('are there', () => expect(names).toContain('wifi'));

  it.each(names)('%s: its lock belongs to what it declares, and is written as `image lock` writes it', async (name) => {
    const source = await readImageSource(projectRoot, name);
    expect(formatLock(await lockOf(source))).toBe(await readFile(source.lockPath, 'utf8'));
  });

  it.each(names)('%s: each part of it has a budget, its own or that of the default', async (name) => {
    const { spec } = await readImageSource(projectRoot, name);
    const parts = Object.keys(PARTS).filter((part) => part !== 'firmware' || spec.firmware !== undefined);
    expect(Object.keys(spec.budgets.partBytes).sort()).toEqual(parts.sort());
    const sum = Object.values(spec.budgets.partBytes).reduce((bytes, one) => bytes + one, 0);
    expect(sum, 'parts that may together have much more than the whole are no budgets').toBeLessThan(
      1.1 * spec.budgets.isoBytes,
    );
  });

  it('share no name, lock, output or build folder', async () => {
    const sources = await Promise.all([undefined, ...names].map((name) => readImageSource(projectRoot, name)));
    const own = sources.flatMap(({ lockPath, spec: { name }, outputs }) => [lockPath, name, ...Object.values(outputs)]);
    expect(own.filter((one, index) => own.indexOf(one) !== index)).toEqual([]);
  });
});

describe('readImageSource', () => {
  it('leaves the names of the default as they were', async () => {
    const { outputs, spec, words } = await readImageSource(projectRoot);
    expect({ outputs, name: spec.name, words }).toMatchObject({
      outputs: {
        iso: 'cpushare-seller.iso',
        referenceValues: 'reference-values.json',
        sizes: 'sizes.json',
        sizeTree: 'size-tree.json',
        hardware: 'hardware.json',
        hardwarePage: 'hardware.html',
      },
      name: 'cpushare-seller',
      words: '',
    });
  });

  it.each(['none', '../image', 'wifi.lock'])('refuses %s, and lists those that exist', async (name) => {
    await expect(readImageSource(projectRoot, name)).rejects.toMatchObject({
      code: 'FLAVOUR_UNKNOWN',
      nextStep: expect.stringContaining('wifi'),
    });
  });
});

describe('mergeFlavour', () => {
  it('adds and removes, and keeps all else', () => {
    const merged = mergeFlavour(
      spec,
      flavour({
        add: {
          components: ['non-free-firmware'],
          packages: { root: ['iwd'], leaveOut: ['systemd'] },
          files: { iwd: ['usr/libexec/iwd'], kmod: ['usr/bin/lsmod'] },
          links: { 'usr/sbin/iwd': '../libexec/iwd' },
          kernelModules: ['iwlwifi'],
          kernelCommandLine: ['debug'],
          accounts: [{ name: 'messagebus', uid: 101, gecos: '', home: '/' }],
        },
        remove: { packages: { leaveOut: ['libaudit1'] }, kernelCommandLine: ['quiet'], links: ['usr/sbin/rmmod'] },
        budgets: { isoBytes: 1, partBytes: { base: 2 } },
      }),
    );
    const { 'usr/sbin/rmmod': _, ...links } = spec.links;
    expect(merged).toEqual({
      ...spec,
      name: 'cpushare-seller-test',
      components: ['main', 'non-free-firmware'],
      packages: {
        ...spec.packages,
        root: [...spec.packages.root, 'iwd'],
        leaveOut: [...spec.packages.leaveOut.filter((one) => one !== 'libaudit1'), 'systemd'],
      },
      files: { ...spec.files, iwd: ['usr/libexec/iwd'], kmod: [...(spec.files.kmod ?? []), 'usr/bin/lsmod'] },
      links: { ...links, 'usr/sbin/iwd': '../libexec/iwd' },
      kernelModules: [...spec.kernelModules, 'iwlwifi'],
      kernelCommandLine: [...spec.kernelCommandLine.filter((one) => one !== 'quiet'), 'debug'],
      accounts: [...spec.accounts, { name: 'messagebus', uid: 101, gecos: '', home: '/' }],
      budgets: { isoBytes: 1, partBytes: { ...spec.budgets.partBytes, base: 2 } },
    });
    expect(() => parseImageSpec(JSON.stringify(merged))).not.toThrow();
  });

  it.each([
    { name: 'a removal of what is not there', rest: { remove: { kernelModules: ['none'] } }, says: 'removes none' },
    { name: 'an addition of what is there', rest: { add: { kernelModules: ['loop'] } }, says: 'adds loop' },
    { name: 'a link that is there', rest: { add: { links: { sbin: 'usr/bin' } } }, says: 'adds sbin to links' },
    {
      name: 'a number that an account has',
      rest: { add: { accounts: [{ name: 'other', uid: 0, gecos: '', home: '/' }] } },
      says: 'adds uid 0',
    },
  ])('refuses $name', ({ rest, says }) => {
    expect(() => mergeFlavour(spec, flavour(rest))).toThrow(
      expect.objectContaining({ code: 'FLAVOUR_INVALID', message: expect.stringContaining(says) }),
    );
  });
});

describe('parseFlavour', () => {
  const good = flavour({});

  it.each([
    { name: 'no JSON', text: '{', says: 'not JSON' },
    { name: 'an unknown field', text: JSON.stringify({ ...good, replace: {} }), says: '/replace' },
    {
      name: 'another kernel',
      text: JSON.stringify({ ...good, add: { packages: { kernel: 'x' } } }),
      says: '/add/packages/kernel',
    },
    { name: 'an unknown budget', text: JSON.stringify({ ...good, budgets: { rest: 1 } }), says: '/budgets' },
    { name: 'the name of another file', text: JSON.stringify({ ...good, name: 'wifi' }), says: 'its name is wifi' },
  ])('refuses $name', ({ text, says }) => {
    expect(() => parseFlavour(text, 'test')).toThrow(
      expect.objectContaining({ code: 'FLAVOUR_INVALID', message: expect.stringContaining(says) }),
    );
  });
});
