/** `attest reference` end to end, with openssl as a second judge of the signature. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import yargs from 'yargs';
import { preAuthEncoding } from '../../attest/image/signed-reference-values.ts';
import { GOOD_BOOT, referenceValuesOf } from '../../attest/testing/boot-node.ts';
import { referenceCommand } from './reference.ts';

const run = promisify(execFile);
let folder = '';
const path = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'attest-reference-'));
  await writeFile(path('values.json'), JSON.stringify(referenceValuesOf(GOOD_BOOT)));
});
afterAll(() => rm(folder, { recursive: true }));

/** What a verb prints. */
async function reference(...args: string[]): Promise<string> {
  const lines: string[] = [];
  const print = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  try {
    await yargs(['reference', ...args])
      .command(referenceCommand)
      .fail((message, error) => {
        throw error ?? new Error(message);
      })
      .parseAsync();
  } finally {
    print.mockRestore();
  }
  return lines.join('\n');
}

describe('attest reference', () => {
  it('makes a key that only its owner may read, signs with it, and shows what was signed', async () => {
    const made = await reference('keygen', '--out', path('key.pem'));
    const keyId = /key id ([0-9a-f]{64})/.exec(made)?.[1] ?? '';
    expect((await stat(path('key.pem'))).mode & 0o777).toBe(0o600);
    await expect(reference('keygen', '--out', path('key.pem'))).rejects.toMatchObject({ code: 'REFERENCE_KEY_EXISTS' });

    expect(
      await reference('sign', path('values.json'), '--key', path('key.pem'), '--out', path('signed.json')),
    ).toContain(`cpushare-seller 0.1.0, signed by ${keyId}`);
    expect(await reference('show', path('signed.json'), '--reference-key', path('key.pem.pub'))).toContain(
      `signed by ${keyId}, checked`,
    );
    expect(await reference('show', path('signed.json'))).toContain('not checked');
    expect(await reference('show', path('values.json'))).toContain('not signed');
  });

  it('signs what openssl verifies', async () => {
    const envelope = JSON.parse(await readFile(path('signed.json'), 'utf8'));
    const payload = new Uint8Array(Buffer.from(envelope.payload, 'base64'));
    await writeFile(path('pae'), preAuthEncoding(payload));
    await writeFile(path('sig'), Buffer.from(envelope.signatures[0].sig, 'base64'));
    const { stdout } = await run('openssl', [
      'dgst',
      '-sha256',
      '-verify',
      path('key.pem.pub'),
      '-signature',
      path('sig'),
      path('pae'),
    ]);
    expect(stdout).toContain('Verified OK');
    const { stdout: id } = await run('sh', [
      '-c',
      `openssl pkey -pubin -in '${path('key.pem.pub')}' -outform DER | sha256sum`,
    ]);
    expect(id.slice(0, 64)).toBe(envelope.signatures[0].keyid);
  });

  it.each([
    {
      name: 'values that contradict themselves',
      file: 'edited.json',
      key: 'key.pem',
      code: 'REFERENCE_VALUES_INCONSISTENT',
    },
    { name: 'no values', file: 'key.pem', key: 'key.pem', code: 'REFERENCE_VALUES_MALFORMED' },
    {
      name: 'a public key in place of a private one',
      file: 'values.json',
      key: 'key.pem.pub',
      code: 'REFERENCE_KEY_BAD',
    },
  ])('does not sign with $name, and writes nothing', async ({ file, key, code }) => {
    const values = referenceValuesOf(GOOD_BOOT);
    await writeFile(path('edited.json'), JSON.stringify({ ...values, events: values.events.slice(1) }));
    await expect(reference('sign', path(file), '--key', path(key), '--out', path('none.json'))).rejects.toMatchObject({
      code,
    });
    await expect(stat(path('none.json'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('says where it cannot write', async () => {
    const out = path('no/such/folder/signed.json');
    await expect(reference('sign', path('values.json'), '--key', path('key.pem'), '--out', out)).rejects.toMatchObject({
      code: 'REFERENCE_UNWRITABLE',
    });
  });
});
