import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { policyAccepting } from '../attest/policy/policies.ts';
import { newIdentityPem } from './identity.ts';
import { readReferenceValues, readTrust, requireServable } from './operator-files.ts';
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
    expect(await readReferenceValues([one, one], 'unsigned')).toEqual([someReferenceValues, someReferenceValues]);
  });

  it('must be given', async () => {
    await expect(readReferenceValues([], 'unsigned')).rejects.toMatchObject({ code: 'REFERENCE_MISSING' });
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
    await expect(readReferenceValues([path], 'unsigned')).rejects.toMatchObject({
      code: 'REFERENCE_UNREADABLE',
      message: expect.stringContaining(path),
    });
  });

  it('are refused when there is no such file', async () => {
    await expect(readReferenceValues([join(folder, 'none')], 'unsigned')).rejects.toMatchObject({
      code: 'REFERENCE_UNREADABLE',
    });
  });
});

it('unsigned reference values are refused where a signature is wanted', async () => {
  const path = await file('unsigned.json', JSON.stringify(someReferenceValues));
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const trustedKeys = [new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }))];
  await expect(readReferenceValues([path], { trustedKeys })).rejects.toMatchObject({
    code: 'REFERENCE_UNREADABLE',
    cause: { code: 'REFERENCE_UNSIGNED' },
  });
});

it('a policy over banks that a broker does not ask for is refused at the start', () => {
  const policy = policyAccepting(['hardware']);
  expect(requireServable(policy)).toBe(policy);
  expect(() => requireServable({ ...policy, banks: ['sha256', 'sha384'] })).toThrow(
    expect.objectContaining({ code: 'POLICY_UNUSABLE' }),
  );
});

describe('trust anchors', () => {
  it('are every certificate of every file', async () => {
    const two = await file('two.pem', `some words\n${certificate()}${certificate()}`);
    expect((await readTrust([two, two], null, ['hardware'])).trustAnchors).toHaveLength(4);
  });

  it('stand beside those of the trust store, which also says what they stand for', async () => {
    const [anchor, extra, list] = [new Uint8Array([1]), new Uint8Array([2]), new Uint8Array([3])];
    const anchorClasses = { ['ab'.repeat(32)]: 'hardware' } as const;
    const store = { trustAnchors: [anchor], anchorClasses, extraCertificates: [extra], revocationLists: [list] };
    expect(await readTrust([], store, ['hardware'])).toEqual(store);
    const one = await file('one.pem', certificate());
    const both = await readTrust([one], store, ['hardware']);
    expect(both).toMatchObject({ ...store, trustAnchors: [expect.anything(), anchor] });
  });

  it('may be none only where unknown TPMs are accepted by name', async () => {
    await expect(readTrust([], null, ['hardware', 'software'])).rejects.toMatchObject({ code: 'TRUST_MISSING' });
    expect((await readTrust([], null, ['unknown'])).trustAnchors).toEqual([]);
  });

  it.each([
    { name: 'no certificate', text: 'hello' },
    { name: 'a broken one', text: '-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n' },
  ])('are refused when a file holds $name', async ({ text }) => {
    const path = await file('bad.pem', text);
    await expect(readTrust([path], null, ['unknown'])).rejects.toMatchObject({ code: 'TRUST_UNREADABLE' });
  });
});
