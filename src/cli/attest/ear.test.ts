import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { fixturePath } from '../../../test/fixtures/load.ts';
import { earClaims } from '../../attest/result/ear.ts';
import { signEar } from '../../attest/result/ear-jose.ts';
import { challenge, verdictOf } from '../../attest/testing/verdicts-node.ts';
import { attestCommand } from '../attest.ts';
import { runCommand } from '../testing/run-command.ts';

const verifier = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let folder = '';
const path = (name: string): string => join(folder, name);
const fixture = (file: string): string => fixturePath('p256', file).pathname;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ear-cli-'));
  await writeFile(path('key.pem'), verifier.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(path('public.pem'), verifier.publicKey.export({ type: 'spki', format: 'pem' }));
  await writeFile(path('stranger.pem'), stranger.publicKey.export({ type: 'spki', format: 'pem' }));
  await writeFile(path('jwks.json'), JSON.stringify({ keys: [verifier.publicKey.export({ format: 'jwk' })] }));
  await writeFile(path('jwk.json'), JSON.stringify(verifier.publicKey.export({ format: 'jwk' })));
  await writeFile(
    path('rsa.pem'),
    generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
  );
  const good = verdictOf();
  const onHardware = { ...good, tpm: { ...good.tpm, class: 'hardware' as const } };
  const claims = earClaims(onHardware, {
    verifier: { developer: 'somebody', build: 'verifier 1' },
    issuedAt: new Date('2026-11-21T05:00:00Z'),
    expiresAt: new Date('2026-11-21T05:20:00Z'),
    challenge,
    machineId: 'ab'.repeat(32),
    referenceIds: [],
    policyId: 'ni:///sha-256;x',
    sessionKeySha256: 'ef'.repeat(32),
  });
  await writeFile(path('affirming.jwt'), await signEar(claims, { privateKey: verifier.privateKey, keyId: 'k' }));
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

const run = (...args: string[]) => runCommand(attestCommand, ['attest', ...args]);

const soon = ['--at', '2026-11-21T05:01:00Z'];

describe('attest ear show', () => {
  it.each(['public.pem', 'key.pem', 'jwk.json', 'jwks.json'])('verifies with the key in %s', async (key) => {
    const { output, exitCode } = await run('ear', 'show', path('affirming.jwt'), '--key', path(key), ...soon);
    expect(exitCode).toBe(0);
    expect(output).toContain('machine: affirming');
    expect(output).toContain('somebody, verifier 1');
    expect(output).toMatch(/^ {2}hardware +2 {2}affirming +A TPM chip/m);
    expect(output.split('\n').filter((line) => line.length > 80 && line.includes(' ', 15))).toEqual([]);
  });

  it('prints what was read as JSON', async () => {
    const { output } = await run('ear', 'show', path('affirming.jwt'), '--key', path('public.pem'), ...soon, '--json');
    expect(JSON.parse(output)).toMatchObject({
      submodules: { machine: { status: 'affirming', vector: { hardware: 2 } } },
    });
  });

  it('takes a result without expiry up to the age it is told', async () => {
    const input = [
      { alg: 'ES256', typ: 'JWT' },
      {
        eat_profile: 'tag:github.com,2023:veraison/ear',
        iat: Date.parse('2026-11-21T05:00:00Z') / 1000,
        'ear.verifier-id': { build: 'b', developer: 'd' },
        submods: { other: { 'ear.status': 'affirming' } },
      },
    ]
      .map((each) => Buffer.from(JSON.stringify(each)).toString('base64url'))
      .join('.');
    const signature = sign('sha256', Buffer.from(input), { key: verifier.privateKey, dsaEncoding: 'ieee-p1363' });
    await writeFile(path('old.jwt'), `${input}.${signature.toString('base64url')}`);
    const show = (...more: string[]) =>
      run('ear', 'show', path('old.jwt'), '--key', path('public.pem'), ...soon, ...more);
    expect(await show()).toMatchObject({ exitCode: 1, errors: expect.stringContaining('EAR_EXPIRY_MISSING') });
    expect(await show('--max-age', '2')).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining('other: affirming'),
    });
    expect(await show('--max-age', '0.5')).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('EAR_EXPIRED'),
    });
  });

  it('compares the nonce', async () => {
    const nonce = Buffer.from(challenge).toString('hex');
    const show = (hex: string) =>
      run('ear', 'show', path('affirming.jwt'), '--key', path('public.pem'), ...soon, '--nonce', hex);
    expect((await show(nonce)).exitCode).toBe(0);
    expect(await show('00'.repeat(32))).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('EAR_NONCE_MISMATCH'),
    });
  });

  it.each([
    { name: 'a key of somebody else', args: ['stranger.pem', ...soon], code: 'EAR_SIGNATURE_INVALID' },
    { name: 'a time when it is over', args: ['public.pem', '--at', '2026-11-21T05:20:00Z'], code: 'EAR_EXPIRED' },
  ])('says no to $name: exit 1', async ({ args, code }) => {
    const [key = '', ...more] = args;
    const { errors, exitCode } = await run('ear', 'show', path('affirming.jwt'), '--key', path(key), ...more);
    expect(exitCode).toBe(1);
    expect(errors).toContain(code);
    expect(errors).toContain('Next step:');
  });

  it.each([
    { name: 'a file that is no result', args: ['public.pem', 'public.pem'], code: 'EAR_MALFORMED' },
    { name: 'a key file that is none', args: ['affirming.jwt', 'affirming.jwt'], code: 'EAR_KEY_FILE_BAD' },
    { name: 'a key of another kind', args: ['affirming.jwt', 'rsa.pem'], code: 'EAR_KEY_UNKNOWN' },
  ])('cannot judge $name', async ({ args, code }) => {
    const [file = '', key = ''] = args.map(path);
    await expect(run('ear', 'show', file, '--key', key)).rejects.toMatchObject({ code });
  });
});

describe('attest verify --ear', () => {
  const verify = (...more: string[]) =>
    run(
      'verify',
      fixture('report.json'),
      '--reference',
      fixture('reference-values.json'),
      '--trust',
      fixture('trust.pem'),
      '--nonce',
      `@${fixture('nonce')}`,
      '--at',
      '2026-11-22T12:00:00Z',
      ...more,
    );

  it('signs the verdict on a real boot; `ear show` reads it back', async () => {
    expect(await verify('--ear', path('out.jwt'), '--key', path('key.pem'))).toMatchObject({ exitCode: 0 });
    const shown = await run(
      'ear',
      'show',
      path('out.jwt'),
      '--key',
      path('public.pem'),
      '--nonce',
      `@${fixture('nonce')}`,
      '--at',
      '2026-11-22T12:10:00Z',
    );
    // accepted by the policy, and still no hardware: who reads nothing but the status is not misled
    expect(shown.output).toMatch(/^Verdict: +accepted, by a policy that takes what/m);
    expect(shown.output).toMatch(/^machine: contraindicated/m);
    expect(shown.exitCode).toBe(1);
    expect(await readFile(path('out.jwt'), 'utf8')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]{86}\n$/);
  });

  it('carries the evidence along when asked, whole', async () => {
    await verify('--ear', path('with.jwt'), '--key', path('key.pem'), '--ear-evidence');
    const [, payload = ''] = (await readFile(path('with.jwt'), 'utf8')).split('.');
    const { ear_raw_evidence: raw } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
      ear_raw_evidence: [string, string];
    };
    const report = JSON.parse(await readFile(fixture('report.json'), 'utf8')) as { evidence: object };
    expect(raw[0]).toBe('application/json');
    expect(JSON.parse(Buffer.from(raw[1], 'base64url').toString())).toEqual(report.evidence);
  });

  it('leaves nothing behind where it cannot write, or has no key to sign with', async () => {
    const before = (await readdir(folder)).sort();
    await expect(verify('--ear', path('none/out.jwt'), '--key', path('key.pem'))).rejects.toMatchObject({
      code: 'EAR_UNWRITABLE',
    });
    await expect(verify('--ear', path('new.jwt'), '--key', path('rsa.pem'))).rejects.toMatchObject({
      code: 'EAR_SIGNING_KEY_BAD',
    });
    await expect(verify('--ear', path('new.jwt'))).rejects.toThrow('key');
    expect((await readdir(folder)).sort()).toEqual(before);
  });
});
