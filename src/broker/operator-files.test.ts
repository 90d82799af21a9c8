import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newIdentityPem } from './identity.ts';
import { readReferenceValues, readTrustAnchors } from './operator-files.ts';
import { someReferenceValues } from './testing/reference-values.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-operator-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}
const certificate = () => `-----BEGIN CERTIFICATE${newIdentityPem().split('-----BEGIN CERTIFICATE')[1]}`;

describe('reference values', () => {
  it('are read from each file', async () => {
    const one = await file('one.json', JSON.stringify(someReferenceValues));
    expect(await readReferenceValues([one, one])).toEqual([someReferenceValues, someReferenceValues]);
  });

  it('must be given', async () => {
    await expect(readReferenceValues([])).rejects.toMatchObject({ code: 'REFERENCE_MISSING' });
  });

  const edited = {
    ...someReferenceValues,
    pcrs: { ...someReferenceValues.pcrs, usb: { '4': 'ab', '8': '', '9': '', '14': '' } },
  };
  const [first, ...rest] = someReferenceValues.events;
  it.each([
    { name: 'an empty file', text: '' },
    { name: 'another JSON', text: '{}' },
    { name: 'registers that are none', text: JSON.stringify(edited) },
    {
      name: 'events that do not lead to the registers',
      text: JSON.stringify({ ...someReferenceValues, events: [first, first, ...rest] }),
    },
  ])('are refused at the start when the file holds $name', async ({ text }) => {
    const path = await file('bad.json', text);
    await expect(readReferenceValues([path])).rejects.toMatchObject({
      code: 'REFERENCE_UNREADABLE',
      message: expect.stringContaining(path),
    });
  });

  it('are refused when there is no such file', async () => {
    await expect(readReferenceValues([join(folder, 'none')])).rejects.toMatchObject({ code: 'REFERENCE_UNREADABLE' });
  });
});

describe('trust anchors', () => {
  it('are every certificate of every file', async () => {
    const two = await file('two.pem', `some words\n${certificate()}${certificate()}`);
    expect(await readTrustAnchors([two, two], ['hardware'])).toHaveLength(4);
  });

  it('may be none only where unknown TPMs are accepted by name', async () => {
    await expect(readTrustAnchors([], ['hardware', 'software'])).rejects.toMatchObject({ code: 'TRUST_MISSING' });
    expect(await readTrustAnchors([], ['unknown'])).toEqual([]);
  });

  it.each([
    { name: 'no certificate', text: 'hello' },
    { name: 'a broken one', text: '-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n' },
  ])('are refused when a file holds $name', async ({ text }) => {
    const path = await file('bad.pem', text);
    await expect(readTrustAnchors([path], ['unknown'])).rejects.toMatchObject({ code: 'TRUST_UNREADABLE' });
  });
});
