import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'tpm2-ts/codec';
import { tpm2bPublic, tpmtPublic } from 'tpm2-ts/public-area';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import yargs from 'yargs';
import { nodeAttestCrypto } from '../../attest/crypto/crypto-node.ts';
import { ekCertificateUrls } from '../../attest/endorsement/ek-url.ts';
import {
  ekPublicOf,
  newKey,
  type Signer,
  spkiOf,
  usages,
  writeCertificate,
  writeRevocationList,
} from '../../attest/testing/certificate-writer-node.ts';
import * as w from '../../attest/testing/der-writer.ts';
import { toBase64, toHex } from '../../shared/bytes.ts';
import { trustCommand } from './trust.ts';
import { changeTrustStore, defaultTrustFolder, loadTrustStore } from './trust-store.ts';

let folder: string;
let store: string;
const path = (name: string): string => join(folder, name);
const pem = (label: string, der: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${toBase64(der)}\n-----END ${label}-----\n`;

function authority(text: string, by?: Signer) {
  const own = { key: newKey(), name: w.commonName(text) };
  const extensions = [usages.ca, usages.certSign];
  const certificate = writeCertificate({
    signer: by ?? own,
    subject: own.name,
    publicKeyInfo: spkiOf(own.key),
    extensions,
  });
  return { ...own, certificate, fingerprint: toHex(nodeAttestCrypto.hash('sha256', certificate)) };
}
const root = authority('Lab Root');
const middle = authority('Lab Intermediate', root);
const list = writeRevocationList({ signer: root });
const colons = (fingerprint: string): string => (fingerprint.toUpperCase().match(/../g) ?? []).join(':');

async function run(...args: string[]): Promise<string> {
  const output: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line) => output.push(String(line)));
  await yargs(['trust', ...args])
    .command(trustCommand)
    .strict()
    .exitProcess(false)
    .fail(false)
    .parseAsync();
  return output.join('\n');
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-trust-'));
  store = path('store');
  await writeFile(path('root.pem'), `Notes before it\n${pem('CERTIFICATE', root.certificate)}`);
  await writeFile(path('bundle.pem'), pem('CERTIFICATE', middle.certificate) + pem('X509 CRL', list));
  await writeFile(path('root.der'), root.certificate);
  await writeFile(path('list.der'), list);
  await writeFile(path('garbage'), 'nothing of the kind');
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('attest trust', () => {
  it('lists nothing before the first import, and verify has nothing to load', async () => {
    expect(await run('list', '--store', store)).toContain('empty');
    await expect(loadTrustStore(store)).rejects.toMatchObject({ code: 'TRUST_STORE_MISSING' });
  });

  it('refuses an unknown root and leaves nothing behind', async () => {
    await expect(run('import', path('root.pem'), path('bundle.pem'), '--store', store)).rejects.toMatchObject({
      code: 'TRUST_ROOT_UNKNOWN',
      nextStep: expect.stringContaining(root.fingerprint),
    });
    expect(await readdir(store)).toEqual([]);
  });

  it('imports what is named, lists it in 80 columns, shows it in full, and hands it to verify', async () => {
    const named = `${colons(root.fingerprint)}=hardware`;
    const said = await run('import', path('root.pem'), path('bundle.pem'), '--store', store, '--allow-unknown', named);
    expect(said).toContain('1 anchor(s), 1 intermediate(s), 1 revocation list(s)');
    const listed = await run('list', '--store', store);
    expect(listed).toContain(`(by hand)  hardware  Lab Root  9999-12-31  ${root.fingerprint.slice(0, 16)}`);
    expect(listed).toContain('1 intermediate(s), 0 of them without a way');
    expect(Math.max(...listed.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(JSON.parse(await run('list', '--store', store, '--json'))).toMatchObject({
      anchors: [{ fingerprint: root.fingerprint, class: 'hardware', namedByHand: true }],
      intermediates: [{ fingerprint: middle.fingerprint }],
      revocationLists: [{ revoked: 0 }],
    });
    const shown = await run('show', root.fingerprint.slice(0, 12), '--store', store);
    expect(shown).toContain(root.fingerprint);
    expect(shown).toContain('-----BEGIN CERTIFICATE-----');
    expect(await loadTrustStore(store)).toEqual({
      trustAnchors: [root.certificate],
      anchorClasses: { [root.fingerprint]: 'hardware' },
      extraCertificates: [middle.certificate],
      revocationLists: [list],
    });
  });

  it('takes DER as well, and what is there already stays as it is', async () => {
    const named = `${root.fingerprint}=hardware`;
    const before = await readFile(join(store, 'trust-store.json'), 'utf8');
    expect(
      await run('import', path('root.der'), path('list.der'), '--store', store, '--allow-unknown', named),
    ).toContain('2 were there');
    expect(await readFile(join(store, 'trust-store.json'), 'utf8')).toBe(before);
  });

  it.each([
    { name: 'no certificate', args: ['garbage'], code: 'TRUST_FILE_BAD' },
    { name: 'no file', args: ['absent'], code: 'FILE_UNREADABLE' },
    { name: 'a short fingerprint', args: ['root.pem', '--allow-unknown', 'ab12'], code: 'FINGERPRINT_BAD' },
    {
      name: 'a class that is none',
      args: ['root.pem', '--allow-unknown', `${root.fingerprint}=strong`],
      code: 'FINGERPRINT_BAD',
    },
    {
      name: 'a fingerprint of nothing',
      args: ['bundle.pem', '--allow-unknown', 'ab'.repeat(32)],
      code: 'TRUST_FINGERPRINT_ABSENT',
    },
  ])('an import of $name is refused', async ({ args: [file = '', ...rest], code }) => {
    const before = await readFile(join(store, 'trust-store.json'), 'utf8');
    await expect(run('import', path(file), '--store', store, ...rest)).rejects.toMatchObject({ code });
    expect(await readFile(join(store, 'trust-store.json'), 'utf8')).toBe(before);
  });

  it.each(['ffffffffffffffff', ''])('shows nothing for the id "%s"', async (id) => {
    await expect(run('show', id, '--store', store)).rejects.toMatchObject({ code: 'TRUST_ID_BAD' });
  });

  it('lets one import at a time change a store', async () => {
    const busy = changeTrustStore(store, (held) => ({ store: held }));
    const results = await Promise.allSettled([busy, changeTrustStore(store, (held) => ({ store: held }))]);
    const refused = results.filter(({ status }) => status === 'rejected');
    for (const each of refused) expect(each).toMatchObject({ reason: { code: 'TRUST_STORE_BUSY' } });
    expect(refused.length).toBeLessThanOrEqual(1);
    expect(await readdir(store)).toEqual(['trust-store.json']);
  });

  it('keeps its store where XDG says', () => {
    expect(defaultTrustFolder({ XDG_DATA_HOME: '/data' })).toBe('/data/cpushare/trust');
    expect(defaultTrustFolder({ XDG_DATA_HOME: 'relative' })).toMatch(/^\/.*\/\.local\/share\/cpushare\/trust$/);
  });
});

describe('attest trust ek-url', () => {
  const key = newKey();
  const urls = ekCertificateUrls(ekPublicOf(key), nodeAttestCrypto);

  it.each([
    { name: 'TPM2B_PUBLIC', content: encode(tpm2bPublic, ekPublicOf(key)) },
    { name: 'TPMT_PUBLIC', content: encode(tpmtPublic, ekPublicOf(key)) },
    { name: 'SubjectPublicKeyInfo in DER', content: spkiOf(key) },
    { name: 'the same in PEM', content: new TextEncoder().encode(pem('PUBLIC KEY', spkiOf(key))) },
  ])('reads $name', async ({ content }) => {
    await writeFile(path('ek'), content);
    expect(JSON.parse(await run('ek-url', path('ek'), '--json'))).toEqual(urls);
    expect(await run('ek-url', path('ek'))).toContain(urls.amd);
  });

  it('reads a report', async () => {
    const report = new URL('../../../test/fixtures/p256/report.json', import.meta.url).pathname;
    expect(await run('ek-url', report)).toMatch(/^Intel {2}https:\/\/ekop\.intel\.com\/ekcertservice\/[\w-]{43}%3D$/m);
  });

  it('refuses what is no key', async () => {
    await expect(run('ek-url', path('garbage'))).rejects.toMatchObject({ code: 'EK_FILE_BAD' });
  });
});
