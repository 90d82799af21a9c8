/** The examples of README.md, run as they stand there: their imports on files beside this one, the device replaced by swtpm. */
import { randomBytes, webcrypto } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { transform } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEk } from './attester.ts';
import { nodeDigest } from './digest-node.ts';
import { startTestTpm, type TestTpm } from './testing/swtpm.ts';

let machine: TestTpm;
beforeAll(async () => {
  machine = await startTestTpm('unix');
});
afterAll(() => machine?.stop());

type Values = Readonly<Record<string, unknown>>;

/** The code block under a heading, as a function of what it does not define itself. */
async function example<T>(heading: string, result: string, given: Values): Promise<T> {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const section = readme.split(`## ${heading}\n`)[1] ?? '';
  const code = /```ts\n([\s\S]*?)```/.exec(section)?.[1] ?? '';
  const body = code.replaceAll(/import \{ (.*) \} from 'tpm2-ts\/(.*)';/g, "const { $1 } = await door('$2');");
  const door = async (file: string) =>
    file === 'transport-device'
      ? { openTpmDevice: machine.open }
      : import(/* @vite-ignore */ new URL(`${file}.ts`, import.meta.url).href);
  expect(body).toContain(result);
  const { code: script } = await transform(`const run = async () => { ${body}\n return ${result}; }`, { loader: 'ts' });
  const run = new Function('door', ...Object.keys(given), `${script} return run();`);
  return run(door, ...Object.values(given)) as Promise<T>;
}

const challenge = new Uint8Array(randomBytes(32));
const evidenceOf = (secret: Uint8Array) =>
  example<Values & { readonly quoted: Uint8Array }>('Activate a credential and make a quote', 'evidence', {
    secret,
    challenge,
  });
const verified = (values: Values) =>
  example('Read a quote and verify it', 'statement', { crypto: webcrypto, hash: nodeDigest, challenge, ...values });

describe('the examples of the README', () => {
  it('activate, quote and verify', async () => {
    const evidence = await evidenceOf(randomBytes(32));
    await expect(verified(evidence)).resolves.toMatchObject({
      type: 'quote',
      extraData: challenge,
      pcrSelect: [{ hash: 'sha256', pcrs: [0, 4, 7] }],
    });
  });

  it('refuse a quote that was altered, and one for another challenge', async () => {
    const evidence = await evidenceOf(randomBytes(32));
    const quoted = evidence.quoted.slice();
    quoted[quoted.length - 1] = (quoted[quoted.length - 1] ?? 0) ^ 1;
    await expect(verified({ ...evidence, quoted })).rejects.toThrow('not signed by this key');
    const other = new Uint8Array(randomBytes(32));
    await expect(verified({ ...evidence, challenge: other })).rejects.toThrow('an answer to somebody else');
  });

  it('get random numbers over a protected session', async () => {
    const tpm = await machine.open();
    const ek = await createEk(tpm, 'ecc');
    await expect(example('A protected session', 'random', { tpm, ek })).resolves.toHaveLength(32);
    await tpm.close();
  });
});
