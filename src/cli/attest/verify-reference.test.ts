/** `attest verify --reference-key` and `--policy`: from files to the verdict, on our own recording of a real boot. */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { fixturePath } from '../../../test/fixtures/load.ts';
import { demoPolicyAcceptingSoftwareTpm as good } from '../../attest/policy/policies.ts';
import type { Policy } from '../../attest/policy/policy.ts';
import type { Verdict } from '../../attest/verdict.ts';
import { attestCommand } from '../attest.ts';
import { runCommand } from '../testing/run-command.ts';

const fixture = (name: string): string => fileURLToPath(fixturePath('p256', name));
let folder = '';
const path = (name: string): string => join(folder, name);

const run = async (...args: string[]) => (await runCommand(attestCommand, ['attest', ...args])).output;

async function verify(...args: string[]): Promise<Verdict> {
  const fixed = [
    '--nonce',
    `@${fixture('nonce')}`,
    '--trust',
    fixture('trust.pem'),
    '--at',
    '2026-11-22T12:00:00Z',
    '--json',
  ];
  return JSON.parse(await run('verify', fixture('report.json'), ...fixed, ...args));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cpushare-verify-reference-'));
  for (const name of ['ours.pem', 'theirs.pem']) await run('reference', 'keygen', '--out', path(name));
  await copyFile(fixture('reference-values.json'), path('values.json'));
  await run('reference', 'sign', path('values.json'), '--key', path('ours.pem'), '--out', path('signed.json'));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('reference values', () => {
  it('signed by a named key are judged with', async () => {
    const keys = ['--reference-key', path('theirs.pem.pub'), '--reference-key', path('ours.pem.pub')];
    const verdict = await verify('--reference', path('signed.json'), ...keys, '--accept-class', 'software');
    expect(verdict.status).toBe('accepted');
    expect(verdict.firmware?.secureBoot.authorities.map(({ name, vouchedBy }) => `${name} by ${vouchedBy}`)).toEqual([
      'Microsoft Corporation UEFI CA 2011 by db',
      'Debian Secure Boot CA by shim',
    ]);
  });

  it.each([
    { name: 'unsigned', file: 'values.json', key: 'ours.pem.pub', code: 'REFERENCE_UNSIGNED' },
    { name: 'signed by somebody else', file: 'signed.json', key: 'theirs.pem.pub', code: 'REFERENCE_KEY_UNKNOWN' },
    { name: 'altered', file: 'altered.json', key: 'ours.pem.pub', code: 'REFERENCE_SIGNATURE_INVALID' },
    { name: 'with a key that is none', file: 'signed.json', key: 'values.json', code: 'REFERENCE_KEY_BAD' },
  ])('$name are not: $code', async ({ file, key, code }) => {
    const signed = JSON.parse(await readFile(path('signed.json'), 'utf8'));
    const payload = Buffer.from(signed.payload, 'base64').toString().replace('0.1.0', '0.1.1');
    await writeFile(
      path('altered.json'),
      JSON.stringify({ ...signed, payload: Buffer.from(payload).toString('base64') }),
    );
    const judged = verify('--reference', path(file), '--reference-key', path(key), '--accept-class', 'software');
    await expect(judged).rejects.toMatchObject({ code });
  });
});

describe('a policy file', () => {
  const judge = async (policy: object): Promise<Verdict> => {
    await writeFile(path('policy.json'), JSON.stringify(policy));
    return verify('--reference', path('values.json'), '--policy', path('policy.json'));
  };
  const secureBoot = (changes: Partial<Policy['secureBoot']>): Policy => ({
    ...good,
    secureBoot: { ...good.secureBoot, ...changes },
  });
  const names = ['Microsoft Corporation UEFI CA 2011', 'Debian Secure Boot CA'];

  it.each([
    { name: 'the one of a demonstration', policy: good, code: undefined },
    { name: 'the two authorities of the chain', policy: secureBoot({ allowedAuthorities: names }), code: undefined },
    {
      name: 'one of them',
      policy: secureBoot({ allowedAuthorities: names.slice(0, 1) }),
      code: 'SECURE_BOOT_AUTHORITY_REFUSED',
    },
    {
      name: 'revocations of 2023, which OVMF does not have',
      policy: secureBoot({ dbx: { minimumEntries: 0, requiredHashes: [], notOlderThan: '2023-05-01' } }),
      code: 'DBX_TOO_OLD',
    },
    { name: 'no oddity overlooked', policy: { ...good, firmwareWorkarounds: [] }, code: undefined },
    { name: 'hardware only', policy: { ...good, acceptedTpmClasses: ['hardware'] }, code: 'TPM_CLASS_NOT_ACCEPTED' },
    {
      name: 'a bank that was not quoted',
      policy: { ...good, banks: ['sha256', 'sha384'] },
      code: 'QUOTE_SELECTION_WRONG',
    },
  ])('$name: $code', async ({ policy, code }) => {
    const verdict = await judge(policy);
    expect(verdict.checks.find(({ status }) => status === 'failed')?.code).toBe(code);
    expect(verdict.status).toBe(code === undefined ? 'accepted' : 'refused');
  });

  it('that is none is not judged with', async () => {
    await expect(judge({ ...good, requireSecureboot: true })).rejects.toMatchObject({ code: 'POLICY_MALFORMED' });
  });
});
