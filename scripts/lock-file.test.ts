import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseImageSpec } from './image-spec.ts';
import { formatLock, parseLock } from './lock-file.ts';
import { projectRoot } from './project.ts';

const specText = await readFile(join(projectRoot, 'image/image.json'), 'utf8');
const lockText = await readFile(join(projectRoot, 'image/image.lock.json'), 'utf8');
const spec = parseImageSpec(specText);

describe('the committed lock', () => {
  it('belongs to the committed image.json and is written as `image lock` writes it', () => {
    expect(formatLock(parseLock(lockText, spec))).toBe(lockText);
  });

  it('names no host', () => {
    expect(lockText).not.toMatch(/https?:|\.(org|com|net)\b/);
  });

  it('holds one version of each package', () => {
    const names = parseLock(lockText, spec).packages.map((one) => one.name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('parseLock', () => {
  it('does not mind how image.json is spelled', () => {
    const reordered = Object.fromEntries(Object.entries(JSON.parse(specText) as object).reverse());
    expect(() => parseLock(lockText, parseImageSpec(JSON.stringify(reordered)))).not.toThrow();
  });

  it('refuses a lock of another image.json and says what to run', () => {
    const changed = { ...spec, kernelCommandLine: [...spec.kernelCommandLine, 'debug'] };
    expect(() => parseLock(lockText, changed)).toThrow(
      expect.objectContaining({ code: 'LOCK_STALE', nextStep: 'npx cpushare image lock' }),
    );
  });

  it.each([
    { name: 'no JSON', text: '{' },
    { name: 'an unknown field', text: lockText.replace('"version": 1', '"version": 1, "mirror": "x"') },
    { name: 'a path that leaves the archive', text: lockText.replace('"pool/', '"../pool/') },
    { name: 'a path that climbs out of the archive', text: lockText.replace('"pool/main/', '"pool/../../') },
    { name: 'a short digest', text: lockText.replace(/"sha256": "[0-9a-f]/, '"sha256": "') },
  ])('refuses $name', ({ text }) => {
    expect(() => parseLock(text, spec)).toThrow(expect.objectContaining({ code: 'LOCK_INVALID' }));
  });
});

describe('parseImageSpec', () => {
  it('names the place of an unknown field', () => {
    const text = JSON.stringify({ ...spec, packages: { ...spec.packages, extra: [] } });
    expect(() => parseImageSpec(text)).toThrow(expect.objectContaining({ code: 'IMAGE_SPEC_INVALID' }));
    expect(() => parseImageSpec(text)).toThrow(/\/packages/);
  });
});
