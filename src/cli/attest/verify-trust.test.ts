/** `attest verify` with a trust store, an EK certificate brought by hand and revocation lists, from files to the verdict. */
import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { UNJUDGED_TPM } from '../../attest/endorsement/ek.ts';
import { newMachine } from '../../attest/testing/attester-node.ts';
import { GOOD_BOOT, referenceValuesOf } from '../../attest/testing/boot-node.ts';
import {
  newKey,
  type Signer,
  spkiOf,
  tpmName,
  usages,
  writeCertificate,
  writeRevocationList,
} from '../../attest/testing/certificate-writer-node.ts';
import * as w from '../../attest/testing/der-writer.ts';
import type { Verdict } from '../../attest/verdict.ts';
import { encodeReport } from '../../protocol/report-document.ts';
import { fromHex, toBase64, toHex } from '../../shared/bytes.ts';
import { attestCommand } from '../attest.ts';
import { runCommand } from '../testing/run-command.ts';

const broker = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const brokerSpki = createPublicKey(broker).export({ format: 'der', type: 'spki' });
const brokerId = new Uint8Array(createHash('sha256').update(brokerSpki).digest());
const challenge = new Uint8Array(32).fill(6);
let ekSpki = new Uint8Array();
const machine = newMachine({
  certificates: (spki) => {
    ekSpki = Uint8Array.from(spki);
    return [];
  },
});

const rootKey = newKey('P-384');
const root: Signer = { key: rootKey, name: w.commonName('Lab Root'), hash: 'sha384' };
const middle: Signer = { key: newKey(), name: w.commonName('Lab Intermediate') };
const authority = (subject: Signer, signer: Signer) =>
  writeCertificate({
    signer,
    subject: subject.name,
    publicKeyInfo: spkiOf(subject.key),
    extensions: [usages.ca, usages.certSign],
  });
const rootDer = authority(root, root);
const fingerprint = createHash('sha256').update(rootDer).digest('hex');
const serial = w.integer(0x77);
const ekCertificate = writeCertificate({
  signer: middle,
  subject: w.sequence(),
  serial,
  publicKeyInfo: ekSpki,
  extensions: [usages.ek, tpmName('id:49465800', 'SLB 9672'), usages.keyAgreement],
});

/** What the broker says; whoever verifies does not look at it. */
const OPINION: Verdict = {
  status: 'refused',
  checks: [],
  tpm: UNJUDGED_TPM,
  image: null,
  pcrs: [],
  banks: [],
  firmware: null,
  workarounds: [],
  clock: null,
  claims: null,
  limits: [],
};

let folder = '';
const path = (name: string): string => join(folder, name);
const put = (name: string, content: string | Uint8Array): Promise<void> => writeFile(path(name), content);

const run = async (...args: string[]) => (await runCommand(attestCommand, ['attest', ...args])).output;
async function verify(...args: string[]): Promise<Verdict> {
  const store = args.includes('--trust-store') ? [] : ['--trust-store', path('store')];
  const fixed = [
    '--reference',
    path('reference.json'),
    '--nonce',
    toHex(challenge),
    '--at',
    '2026-11-21T08:00:00Z',
    '--json',
  ];
  return JSON.parse(await run('verify', path('report.json'), ...fixed, ...store, ...args));
}
const codeOf = ({ checks }: Verdict) => checks.find(({ status }) => status === 'failed')?.code;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-verify-'));
  const report = {
    machineId: createHash('sha256').update(fromHex(machine.activation.ekName)).digest('hex'),
    brokerId,
    challenge,
    receivedAt: '2026-11-21T07:59:00.000Z',
    evidence: machine.attest({ challenge, brokerId }),
    activation: machine.transcript(broker),
  };
  await put('report.json', JSON.stringify(encodeReport(report, OPINION)));
  await put('reference.json', JSON.stringify(referenceValuesOf(GOOD_BOOT)));
  await put('root.der', rootDer);
  await put('middle.der', authority(middle, root));
  await put('ek.der', ekCertificate);
  await put('ek.nv', Uint8Array.from([...ekCertificate, ...new Uint8Array(300).fill(0xff)]));
  const base64url = toBase64(ekCertificate).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '%3D');
  await put('ek.json', JSON.stringify({ pubhash: 'ab', certificate: base64url }));
  await put('current.crl', writeRevocationList({ signer: middle }));
  await put('revoking.crl', writeRevocationList({ signer: middle, revoked: [serial] }));
  await put('stale.crl', writeRevocationList({ signer: middle, nextUpdate: w.utcTime('260601000000Z') }));
  await run(
    'trust',
    'import',
    path('root.der'),
    path('middle.der'),
    '--store',
    path('store'),
    '--allow-unknown',
    `${fingerprint}=hardware`,
  );
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a TPM without an EK certificate', () => {
  it('is of class unknown, with the reason', async () => {
    const verdict = await verify();
    expect(codeOf(verdict)).toBe('EK_CERTIFICATE_MISSING');
    expect(verdict.tpm).toMatchObject({ class: 'unknown', anchor: null });
    expect(verdict.checks.find(({ status }) => status === 'failed')?.remedy).toContain('attest trust ek-url');
  });

  it.each([
    { form: 'DER', file: 'ek.der', quirks: [] },
    { form: 'what NV held', file: 'ek.nv', quirks: ['nv-padding'] },
    { form: "the answer of Intel's service", file: 'ek.json', quirks: [] },
  ])(
    'is accepted with its certificate brought as $form, under an authority of the trust store',
    async ({ file, quirks }) => {
      const verdict = await verify('--ek-certificate', path(file));
      expect(verdict.status).toBe('accepted');
      expect(verdict.tpm).toMatchObject({
        class: 'hardware',
        model: 'SLB 9672',
        quirks: ['ek-template', ...quirks],
        anchor: { fingerprint },
      });
      expect(verdict.tpm.weaknesses.map(({ link }) => link)).toContain('SECURITY.md#bus-interposer');
    },
  );

  it.each([
    { list: 'current.crl', code: undefined },
    { list: 'revoking.crl', code: 'EK_CERTIFICATE_REVOKED' },
    { list: 'stale.crl', code: 'REVOCATION_LIST_STALE' },
  ])('$list: $code', async ({ list, code }) => {
    expect(codeOf(await verify('--ek-certificate', path('ek.der'), '--crl', path(list)))).toBe(code);
  });

  it('under an authority that was only named is of class unknown, and the remedy says how to state the class', async () => {
    const args = ['--trust', path('root.der'), '--trust', path('middle.der'), '--trust-store', path('empty')];
    await put('nothing.crl', writeRevocationList({ signer: root }));
    await run('trust', 'import', path('nothing.crl'), '--store', path('empty'));
    const verdict = await verify('--ek-certificate', path('ek.der'), ...args);
    expect(codeOf(verdict)).toBe('TPM_CLASS_NOT_ACCEPTED');
    expect(verdict.checks.find(({ status }) => status === 'failed')?.remedy).toMatch(
      /--allow-unknown [0-9a-f]{64}=CLASS/,
    );
  });

  it('cannot be judged with a file that is no certificate, or a store that is not there', async () => {
    await expect(verify('--ek-certificate', path('reference.json'))).rejects.toMatchObject({ code: 'TRUST_FILE_BAD' });
    await expect(verify('--trust-store', path('absent'))).rejects.toMatchObject({ code: 'TRUST_STORE_MISSING' });
  });
});
