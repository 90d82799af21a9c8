/** A real TPM that counted too many failures: what a password opens is refused with the time to wait, activation goes on. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { activateCredential, withKeys } from './attester.ts';
import { encode } from './codec.ts';
import type { Tpm } from './command.ts';
import { activateCredential as activateCommand } from './commands-keys.ts';
import { startup } from './commands-state.ts';
import { EK_NV } from './constants.ts';
import { explainingLockout, readDictionaryAttackState } from './lockout.ts';
import { makeCredential } from './make-credential-node.ts';
import { tpmtPublic } from './public-area.ts';
import { EK_TEMPLATES, type EkKind } from './templates.ts';
import { SWTPM_EK_KINDS, startTestTpm, type TestTpm } from './testing/swtpm.ts';
import { hex, toHex } from './testing/vectors.ts';

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

/** With the EK's policy, or as it must not be done: with its password. */
const activate = (kind: EkKind, by: 'policy' | 'password' = 'policy') =>
  onTpm((tpm) =>
    withKeys(tpm, { ek: kind, ak: 'ecc' }, ({ ek, ak }) => {
      const credential = makeCredential({ ekPublic: ek.publicArea, akName: ak.name, secret: SECRET });
      if (by === 'policy') return activateCredential(tpm, { ek, ak, ...credential });
      const handles = { akHandle: ak.handle, ekHandle: ek.handle };
      const ekAuthorization = { kind: 'password' } as const;
      return explainingLockout(tpm, () => activateCommand(tpm, { ...handles, ekAuthorization, ...credential }));
    }),
  );

it('is told apart from every other refusal', async () => {
  await machine.tool('tpm2_dictionarylockout', '-s', '-n', '2', '-t', '900', '-l', '86400');
  await machine.tool('tpm2_nvdefine', '0x1500001', '-C', 'o', '-s', '8', '-a', 'authread|authwrite', '-p', 'right');
  expect(toHex(await activate('eccHigh', 'password'))).toBe(toHex(SECRET));

  for (let failure = 0; failure < 2; failure += 1) {
    const wrong = machine.tool('tpm2_nvread', '0x1500001', '-C', '0x1500001', '-P', 'wrong');
    await expect(wrong).rejects.toThrow();
  }
  expect(await onTpm(readDictionaryAttackState)).toEqual({
    failures: 2,
    maxFailures: 2,
    intervalSeconds: 900,
    lockoutRecoverySeconds: 86_400,
  });
  await expect(activate('eccHigh', 'password')).rejects.toMatchObject({
    name: 'TpmLockoutError',
    code: 'TPM_LOCKED_OUT',
    recoverySeconds: 900,
    nextStep: 'leave the machine on for 15 minutes: it recovers by itself; do not restart it in the meantime',
    cause: { name: 'TPM_RC_LOCKOUT' },
  });

  for (const kind of SWTPM_EK_KINDS) expect(toHex(await activate(kind)), kind).toBe(toHex(SECRET));

  await machine.tool('tpm2_dictionarylockout', '-c');
  expect(toHex(await activate('eccHigh', 'password'))).toBe(toHex(SECRET));
});

it.each([
  { name: 'EKs used by their policy', kind: 'ecc384High' },
  { name: "a vendor's EK used by its empty password", kind: 'ecc', vendor: true },
] as const)('is brought no nearer by $name and a power cut after each use', async ({ kind, ...rest }) => {
  if ('vendor' in rest) {
    const { attributes } = EK_TEMPLATES.ecc;
    const vendors = { ...EK_TEMPLATES.ecc, attributes: { ...attributes, userWithAuth: true }, authPolicy: hex('') };
    await writeFile(join(machine.folder, 'template'), encode(tpmtPublic, vendors));
    const index = `0x${EK_NV.eccP256Template.toString(16)}`;
    const access = 'ownerread|ownerwrite|authread|no_da';
    await machine.tool('tpm2_nvdefine', index, '-C', 'o', '-a', access);
    await machine.tool('tpm2_nvwrite', index, '-C', 'o', '-i', 'template');
  }
  for (let start = 0; start < 3; start += 1) {
    expect(toHex(await activate(kind))).toBe(toHex(SECRET));
    await machine.losePower();
    await onTpm((tpm) => startup(tpm));
    expect((await onTpm(readDictionaryAttackState)).failures, `start ${start}`).toBe(0);
  }
});
