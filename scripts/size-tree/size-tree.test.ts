import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requireBudgets } from './budgets.ts';
import { sizePage } from './size-page.ts';
import { nodeAt, type SizeTree, sizeTree } from './size-tree.ts';
import { squarify } from './squarify.ts';
import { terminalBars, terminalMap } from './terminal.ts';

const file = (path: string, packedBytes: number) => ({ path, packedBytes, sizeBytes: 3 * packedBytes });
const build = (nodeBytes: number, layerBytes: number): SizeTree =>
  sizeTree({
    image: { name: 'seller', version: '1.0.0' },
    isoBytes: layerBytes + 2_000_000,
    kernelBytes: 1_000_000,
    initrdBytes: layerBytes + 150_000,
    espBytes: 300_000,
    biosGrubBytes: 10_000,
    espFiles: { 'shim <signed>': 100_000, grub: 190_000 },
    base: {
      layerBytes,
      tableBytes: 0,
      files: [
        file('usr/lib/libnode.so', nodeBytes),
        file('usr/bin/qemu', 200_000),
        file('etc/passwd', 10),
        file('usr/lib/modules/6/kernel/drivers/net/ethernet/r8169.ko', 50_000),
        file('usr/lib/modules/6/kernel/drivers/ata/ahci.ko', 20_000),
        file('usr/lib/firmware/radio.bin', 30_000),
      ],
    },
    agent: { layerBytes: 100_000, tableBytes: 0, files: [file('usr/lib/cpushare/sell-client.js', 99_000)] },
    packageOf: (path) =>
      ({ 'usr/lib/libnode.so': 'libnode', 'usr/bin/qemu': 'qemu', 'usr/lib/firmware/radio.bin': 'radios' })[path],
  });
const tree = build(700_000, 1_000_000);

describe('sizeTree', () => {
  it('has parts that add up to the ISO, and children that add up to their parts', () => {
    expect(tree.parts.reduce((sum, one) => sum + one.bytes, 0)).toBe(tree.isoBytes);
    for (const part of tree.parts) {
      const inside = (part.children ?? [part]).reduce((sum, one) => sum + one.bytes, 0);
      expect(inside, part.name).toBe(part.bytes);
    }
  });

  it('tells drivers and firmware from programs, and files by their package', () => {
    expect(nodeAt(tree, ['drivers'])?.bytes).toBe(70_000);
    expect(nodeAt(tree, ['drivers', 'drivers/net'])?.bytes).toBe(50_000);
    expect(nodeAt(tree, ['firmware', 'radios'])?.bytes).toBe(30_000);
    expect(nodeAt(tree, ['base', 'libnode'])).toMatchObject({ bytes: 700_000, unpackedBytes: 2_100_000 });
    expect(nodeAt(tree, ['base', 'made by the build'])?.bytes).toBe(10);
    expect(nodeAt(tree, ['base', 'emacs'])).toBeUndefined();
  });
});

describe('requireBudgets', () => {
  const generous = { isoBytes: 10_000_000, partBytes: { base: 5_000_000 } };
  it('is content within the budgets', () => {
    expect(() => requireBudgets(tree, null, generous, '')).not.toThrow();
  });

  it('names part, bytes, budget and what grew most', () => {
    const grown = build(900_000, 1_200_000);
    const budgets = { ...generous, partBytes: { base: 1_000_000 } };
    expect(() => requireBudgets(grown, tree, budgets, ' --flavour wifi')).toThrow(
      expect.objectContaining({
        code: 'PART_OVER_BUDGET',
        message:
          'the part base (programs and libraries) of seller has 1100010 bytes, 100010 more than its budget of 1000000; ' +
          'grown most since the build before: libnode > usr/lib/libnode.so (+200000 bytes)',
        nextStep: expect.stringMatching(/budgets\.partBytes\.base.*image lock --flavour wifi/),
      }),
    );
  });

  it('names the largest where there is no build before', () => {
    const budgets = { isoBytes: 2_999_999, partBytes: {} };
    expect(() => requireBudgets(tree, null, budgets, '')).toThrow(
      expect.objectContaining({
        code: 'ISO_OVER_BUDGET',
        message: expect.stringMatching(/has 3000000 bytes, 1 more than its budget of 2999999; its largest: kernel/),
      }),
    );
  });
});

it('lays rectangles of the asked areas inside the room, none over another', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(weights, (values) => {
      const sorted = [...values].sort((a, b) => b - a);
      const room = { x: 5, y: 7, width: 160, height: 90 };
      const placed = squarify(sorted, room);
      const total = sorted.reduce((sum, one) => sum + one, 0);
      placed.forEach((one, index) => {
        expect(one.width * one.height).toBeCloseTo(((sorted[index] ?? 0) / total) * 160 * 90, 4);
        expect(one.x).toBeGreaterThanOrEqual(5 - 1e-6);
        expect(one.x + one.width).toBeLessThanOrEqual(165 + 1e-6);
        expect(one.y + one.height).toBeLessThanOrEqual(97 + 1e-6);
        for (const other of placed.slice(0, index)) {
          const wide = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
          const high = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
          expect(Math.min(wide, high)).toBeLessThan(1e-6);
        }
      });
    }),
  );
});

describe('on the terminal', () => {
  const root = { name: 'seller', bytes: tree.isoBytes, children: tree.parts };
  it('draws a map of 80 columns, without parts of numbers', () => {
    for (const line of terminalMap(root)) {
      const plain = line.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), '');
      expect([...plain]).toHaveLength(80);
    }
  });

  it('draws bars that need no colours and fit 80 columns', () => {
    const lines = terminalBars(root);
    expect(lines[0]).toMatch(/^kernel: kernel +█+\S? +0\.95 MiB$/);
    for (const line of lines) {
      expect([...line].length).toBeLessThanOrEqual(80);
      expect(line).not.toContain(String.fromCharCode(27));
    }
  });
});

it('writes a page without script, with every name escaped', () => {
  const page = sizePage(tree, 64 * 2 ** 20);
  expect(page).toContain('shim &#60;signed&#62;');
  expect(page).not.toContain('<signed>');
  expect(page).not.toContain('<script');
  expect(page).toContain("default-src 'none'");
});
