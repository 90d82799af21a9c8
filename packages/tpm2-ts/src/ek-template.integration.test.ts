/**
 * A vendor's template and nonce in the NV of a real TPM: the EK is the one that tpm2_createprimary makes of the same. (Not
 * tpm2_createek -t as the judge: version 5.4 puts freed memory in the nonce's place and gives another key at each call.)
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { activateCredential, createEk, withKeys } from './attester.ts';
import { encode } from './codec.ts';
import type { Tpm } from './command.ts';
import { EK_NV } from './constants.ts';
import { makeCredential } from './make-credential-node.ts';
import { tpmtPublic } from './public-area.ts';
import { EK_TEMPLATES } from './templates.ts';
import { startTestTpm, type TestTpm } from './testing/swtpm.ts';
import { hex, toHex } from './testing/vectors.ts';

const NONCE = hex('0123456789abcdef0123456789abcdef');
const SECRET = hex('5ec3e7');

let machine: TestTpm;
beforeAll(async () => {
  machine = await startTestTpm('tcp');
});
afterAll(() => machine?.stop());

async function onTpm<T>(work: (tpm: Tpm) => Promise<T>): Promise<T> {
  const tpm = await machine.open();
  try {
    return await work(tpm);
  } finally {
    await tpm.close();
  }
}

async function store(index: number, content: Uint8Array): Promise<void> {
  await writeFile(join(machine.folder, 'content'), content);
  const at = `0x${index.toString(16)}`;
  const attributes = 'ownerread|ownerwrite|authread|no_da';
  await machine.tool('tpm2_nvdefine', at, '-C', 'o', '-s', `${content.length}`, '-a', attributes);
  await machine.tool('tpm2_nvwrite', at, '-C', 'o', '-i', 'content');
}

/** TPMT_PUBLIC of the primary key that tpm2-tools make of these. The unique file is a C structure of theirs. */
async function toolsEk(kind: 'ecc' | 'rsa', attributes: string, policy: readonly string[] = []): Promise<string> {
  const unique = (size: number, room: number, content: Uint8Array) => {
    const field = new Uint8Array(2 + room);
    field.set([size & 0xff, size >> 8, ...content]);
    return [...field];
  };
  const point = [...unique(32, 128, NONCE), ...unique(32, 128, new Uint8Array())];
  await writeFile(join(machine.folder, 'unique'), Uint8Array.from(kind === 'ecc' ? point : unique(256, 256, NONCE)));
  await writeFile(join(machine.folder, 'policy'), EK_TEMPLATES[kind].authPolicy);
  const algorithm = kind === 'ecc' ? 'ecc256:null:aes128cfb' : 'rsa2048:null:aes128cfb';
  const files = [...policy, '-u', 'unique', '-c', 'ek.ctx'];
  await machine.tool('tpm2_createprimary', '-C', 'e', '-g', 'sha256', '-G', algorithm, '-a', attributes, ...files);
  await machine.tool('tpm2_readpublic', '-c', 'ek.ctx', '-o', 'ek.pub');
  await machine.tool('tpm2_flushcontext', '-t');
  return toHex(new Uint8Array(await readFile(join(machine.folder, 'ek.pub'))).subarray(2));
}
const COMMON = 'fixedtpm|fixedparent|sensitivedataorigin|restricted|decrypt';

it.each([
  { kind: 'ecc', template: EK_NV.eccP256Template, nonce: EK_NV.eccP256Nonce },
  { kind: 'rsa', template: EK_NV.rsa2048Template, nonce: EK_NV.rsa2048Nonce },
] as const)('$kind: default, then with a nonce, then with a template too', async ({ kind, template, nonce }) => {
  const ours = () =>
    onTpm(async (tpm) => {
      const ek = await createEk(tpm, kind);
      await ek.flush();
      return toHex(ek.publicArea);
    });
  const first = await ours();

  await store(nonce, NONCE);
  const second = await ours();
  expect(second).not.toBe(first);

  await store(template, encode(tpmtPublic, EK_TEMPLATES[kind]));
  expect(await ours()).toBe(second); // the default template, written out
  expect(await toolsEk(kind, `${COMMON}|adminwithpolicy`, ['-L', 'policy'])).toBe(second);

  // The vendor's own: no policy at all, so the EK is used with its empty password.
  const attributes = { ...EK_TEMPLATES[kind].attributes, userWithAuth: true, adminWithPolicy: false };
  const other = { ...EK_TEMPLATES[kind], attributes, authPolicy: hex('') };
  await machine.tool('tpm2_nvundefine', `0x${template.toString(16)}`, '-C', 'o');
  await store(template, encode(tpmtPublic, other));
  const third = await ours();
  expect(third).not.toBe(second);
  expect(await toolsEk(kind, `${COMMON}|userwithauth`)).toBe(third);

  const opened = await onTpm((tpm) =>
    withKeys(tpm, { ek: kind, ak: 'ecc' }, ({ ek, ak }) => {
      const credential = makeCredential({ ekPublic: ek.publicArea, akName: ak.name, secret: SECRET });
      return activateCredential(tpm, { ek, ak, ...credential });
    }),
  );
  expect(toHex(opened)).toBe(toHex(SECRET));

  await machine.tool('tpm2_nvundefine', `0x${template.toString(16)}`, '-C', 'o');
  await store(template, encode(tpmtPublic, { ...EK_TEMPLATES[kind], authPolicy: hex('11'.repeat(32)) }));
  const closed = onTpm((tpm) =>
    withKeys(tpm, { ek: kind, ak: 'ecc' }, ({ ek, ak }) => {
      const credential = makeCredential({ ekPublic: ek.publicArea, akName: ak.name, secret: SECRET });
      return activateCredential(tpm, { ek, ak, ...credential });
    }),
  );
  await expect(closed).rejects.toMatchObject({ name: 'TpmKeyError', message: expect.stringContaining('policy') });
});
