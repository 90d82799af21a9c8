/** Enrol, activate and quote on a real swtpm, with tpm2-tools as the independent judge in both directions. */
import { createPublicKey, verify, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tpmsAttest } from './attest.ts';
import { activateCredential, createAk, createEk, quote, withKeys } from './attester.ts';
import { decode, encode } from './codec.ts';
import type { Tpm } from './command.ts';
import { flushContext } from './commands-context.ts';
import { create, createPrimary, load, readPublic } from './commands-keys.ts';
import { getCapability, pcrExtend, readClock, startup } from './commands-state.ts';
import { EK_NV, RH } from './constants.ts';
import { nodeDigest } from './digest-node.ts';
import { chooseEk, readEkCertificates } from './ek-certificates.ts';
import { activeBanks, readPcrs, supportsEcc, tpmProperties } from './facts.ts';
import { makeCredential } from './make-credential-node.ts';
import { objectName, primaryQualifiedName } from './name.ts';
import { tpm2bPublic, tpmtPublic } from './public-area.ts';
import { rawSignature, subjectPublicKeyInfo } from './public-key.ts';
import { readNv } from './read-nv.ts';
import { tpmtSignature } from './signature.ts';
import { akTemplate } from './templates.ts';
import { SWTPM_EK_KINDS, startTestTpm, type TestTpm } from './testing/swtpm.ts';
import { hex, toHex } from './testing/vectors.ts';

const SECRET = hex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
const NONCE = hex('aa55'.repeat(16));
const SELECTION = [{ hash: 'sha256', pcrs: [0, 4, 8, 9, 14, 16] }] as const;

let machine: TestTpm;
let tpm: Tpm;
beforeAll(async () => {
  machine = await startTestTpm('tcp');
  tpm = await machine.open();
});
afterAll(async () => {
  await tpm?.close();
  await machine?.stop();
});

/** tpm2-tools need the TPM for themselves. */
async function judged<T>(work: () => Promise<T>): Promise<T> {
  await tpm.close();
  try {
    return await work();
  } finally {
    tpm = await machine.open();
  }
}
const file = (name: string) => join(machine.folder, name);
const transientHandles = async () =>
  (await getCapability(tpm, { capability: 'handles', property: 0x8000_0000 })).data.handles;
const sessionHandles = async () =>
  (await getCapability(tpm, { capability: 'handles', property: 0x0200_0000 })).data.handles;

describe('what the TPM says of itself', () => {
  it('properties, curves and banks', async () => {
    expect(await tpmProperties(tpm)).toMatchObject({ manufacturer: 'IBM', family: '2.0' });
    expect(await supportsEcc(tpm)).toBe(true);
    expect(await activeBanks(tpm)).toEqual(['sha1', 'sha256']);
  });

  it('every capability decodes', async () => {
    const names = [
      'algorithms',
      'handles',
      'commands',
      'ppCommands',
      'auditCommands',
      'pcrs',
      'tpmProperties',
    ] as const;
    for (const capability of [...names, 'pcrProperties', 'eccCurves'] as const) {
      expect((await getCapability(tpm, { capability })).data.capability).toBe(capability);
    }
  });

  it('an extended register reads as the digest chain says', async () => {
    const before = (await readPcrs(tpm, 'sha256', [16])).get(16) ?? hex('');
    const digest = nodeDigest('sha256', hex('01'));
    await pcrExtend(tpm, { pcr: 16, digests: [{ hash: 'sha256', digest }] });
    const expected = nodeDigest('sha256', Uint8Array.from([...before, ...digest]));
    expect(toHex((await readPcrs(tpm, 'sha256', [16])).get(16) ?? hex(''))).toBe(toHex(expected));
  });

  it('a bank that is off is an error, not missing values', async () => {
    await expect(readPcrs(tpm, 'sha512', [0])).rejects.toMatchObject({ code: 'BAD_VALUE' });
  });
});

describe('EK certificates', () => {
  it('are read whole from NV; the key they certify is the key that the template makes', async () => {
    const { certificates, skipped } = await readEkCertificates(tpm);
    expect(skipped).toEqual([]);
    expect(certificates.map(({ kind }) => kind)).toEqual(['ecc384High', 'rsa']);
    for (const { kind, der } of certificates) {
      if (kind === 'chain') throw new Error('swtpm stores no chain');
      const ek = await createEk(tpm, kind);
      const spki = subjectPublicKeyInfo(decode(tpmtPublic, ek.publicArea));
      await ek.flush();
      const certified = new X509Certificate(der).publicKey.export({ format: 'der', type: 'spki' });
      expect(toHex(certified)).toBe(toHex(spki));
    }
  });

  it('decide which EK is used', async () => {
    const { kind, certificates } = await chooseEk(tpm);
    expect(kind).toBe('ecc384High');
    expect(certificates).toHaveLength(1);
  });

  it('equal what tpm2_nvread reads', async () => {
    const ours = await readNv(tpm, EK_NV.rsa2048);
    await judged(() => machine.tool('tpm2_nvread', '-C', 'o', '-o', 'nv.bin', `0x${EK_NV.rsa2048.toString(16)}`));
    expect(new Uint8Array(await readFile(file('nv.bin')))).toEqual(ours);
  });
});

describe.each(SWTPM_EK_KINDS)('activation with EK %s', (ekKind) => {
  it('opens what MakeCredential sealed, and leaves nothing in the TPM', async () => {
    const opened = await withKeys(tpm, { ek: ekKind, ak: 'ecc' }, ({ ek, ak }) => {
      expect(toHex(objectName(ek.publicArea, nodeDigest))).toBe(toHex(ek.name));
      const credential = makeCredential({ ekPublic: ek.publicArea, akName: ak.name, secret: SECRET });
      return activateCredential(tpm, { ek, ak, ...credential });
    });
    expect(toHex(opened)).toBe(toHex(SECRET));
    expect(await transientHandles()).toEqual([]);
    expect(await sessionHandles()).toEqual([]);
  });

  it('refuses a credential made for another AK, and leaves nothing in the TPM', async () => {
    const activation = withKeys(tpm, { ek: ekKind, ak: 'ecc' }, ({ ek, ak }) => {
      const akName = Uint8Array.from([...ak.name.subarray(0, -1), (ak.name.at(-1) ?? 0) ^ 1]);
      return activateCredential(tpm, {
        ek,
        ak,
        ...makeCredential({ ekPublic: ek.publicArea, akName, secret: SECRET }),
      });
    });
    await expect(activation).rejects.toMatchObject({ name: 'TPM_RC_INTEGRITY', position: 'parameter 1' });
    expect(await transientHandles()).toEqual([]);
    expect(await sessionHandles()).toEqual([]);
  });
});

describe('tpm2-tools agree', () => {
  it.each(['ecc', 'rsa'] as const)('a credential by tpm2_makecredential opens here (%s)', async (kind) => {
    const keys = await withKeys(tpm, { ek: kind, ak: kind }, async (both) => both);
    await writeFile(file('ek.pub'), encode(tpm2bPublic, decode(tpmtPublic, keys.ek.publicArea)));
    await writeFile(file('secret'), SECRET);
    await judged(() =>
      machine.tool('tpm2_makecredential', '-u', 'ek.pub', '-s', 'secret', '-n', toHex(keys.ak.name), '-o', 'cred'),
    );
    const opened = await withKeys(tpm, { ek: kind, ak: kind }, async ({ ek, ak }) => {
      return activateCredential(tpm, { ek, ak, ...credentialOfFile(await readFile(file('cred'))) });
    });
    expect(toHex(opened)).toBe(toHex(SECRET));
  });

  it.each(['ecc', 'rsa'] as const)('a credential made here opens with tpm2_activatecredential (%s)', async (kind) => {
    const secret = await judged(async () => {
      await machine.tool('tpm2_createek', '-c', 'ek.ctx', '-G', kind, '-u', 'tools-ek.pub');
      await machine.tool('tpm2_flushcontext', '-t');
      const akArguments = ['-c', 'ak.ctx', '-G', kind, '-g', 'sha256', '-s', kind === 'ecc' ? 'ecdsa' : 'rsassa'];
      await machine.tool('tpm2_createak', '-C', 'ek.ctx', ...akArguments, '-n', 'ak.name', '-u', 'tools-ak.pub');
      await machine.tool('tpm2_flushcontext', '-t');
      const ekPublic = new Uint8Array(await readFile(file('tools-ek.pub'))).subarray(2);
      const akName = new Uint8Array(await readFile(file('ak.name')));
      const { credentialBlob, encryptedSecret } = makeCredential({ ekPublic, akName, secret: SECRET });
      await writeFile(file('cred'), Buffer.concat([hex('badcc0de00000001'), credentialBlob, encryptedSecret]));
      await machine.tool('tpm2_startauthsession', '--policy-session', '-S', 'session.ctx');
      await machine.tool('tpm2_policysecret', '-S', 'session.ctx', '-c', 'e');
      const open = ['-c', 'ak.ctx', '-C', 'ek.ctx', '-i', 'cred', '-o', 'opened', '-P', 'session:session.ctx'];
      await machine.tool('tpm2_activatecredential', ...open);
      await machine.tool('tpm2_flushcontext', 'session.ctx');
      await machine.tool('tpm2_flushcontext', '-t');
      return new Uint8Array(await readFile(file('opened')));
    });
    expect(toHex(secret)).toBe(toHex(SECRET));
  });

  it.each(['ecc', 'rsa'] as const)(
    'tpm2_checkquote accepts a quote made here, and only with its nonce (%s)',
    async (kind) => {
      const made = await withKeys(tpm, { ek: 'ecc', ak: kind }, async ({ ak }) => {
        const pcrs = await readPcrs(tpm, 'sha256', SELECTION[0].pcrs);
        return { ak, pcrs, ...(await quote(tpm, ak, SELECTION, NONCE)) };
      });
      const key = decode(tpmtPublic, made.ak.publicArea);
      const publicKey = createPublicKey({ key: Buffer.from(subjectPublicKeyInfo(key)), format: 'der', type: 'spki' });
      const signature = decode(tpmtSignature, made.signature);
      const raw = rawSignature(signature, key);
      const verifier = kind === 'ecc' ? ({ key: publicKey, dsaEncoding: 'ieee-p1363' } as const) : publicKey;
      expect(verify('sha256', made.quoted, verifier, raw)).toBe(true);

      const attest = decode(tpmsAttest, made.quoted);
      const values = SELECTION[0].pcrs.flatMap((pcr) => [...(made.pcrs.get(pcr) ?? [])]);
      expect(attest).toMatchObject({
        type: 'quote',
        extraData: NONCE,
        qualifiedSigner: primaryQualifiedName(made.ak.publicArea, nodeDigest),
        pcrSelect: SELECTION,
        pcrDigest: nodeDigest('sha256', Uint8Array.from(values)),
      });

      await writeFile(file('ak.pem'), publicKey.export({ format: 'pem', type: 'spki' }));
      await writeFile(file('quote.msg'), made.quoted);
      await writeFile(file('quote.sig'), made.signature);
      const check = ['-u', 'ak.pem', '-m', 'quote.msg', '-s', 'quote.sig', '-q'];
      await machine.tool('tpm2_checkquote', ...check, toHex(NONCE));
      await expect(machine.tool('tpm2_checkquote', ...check, toHex(SECRET))).rejects.toThrow();
    },
  );
});

describe('keys', () => {
  it('an AK comes out the same again, and another with another label', async () => {
    const names: string[] = [];
    for (const label of ['one', 'one', 'two']) {
      const ak = await createAk(tpm, 'ecc', label);
      names.push(toHex(ak.name));
      expect(toHex((await readPublic(tpm, ak.handle)).publicArea)).toBe(toHex(ak.publicArea));
      await ak.flush();
    }
    expect(names[0]).toBe(names[1]);
    expect(names[0]).not.toBe(names[2]);
  });

  it('a child key can be created and loaded', async () => {
    const storage = decode(tpmtPublic, (await storageKey()).publicArea);
    const { handle: parent } = await createPrimary(tpm, { hierarchy: RH.owner, template: storage });
    const made = await create(tpm, { parent, template: akTemplate('ecc', 'child') });
    const loaded = await load(tpm, { parent, ...made });
    expect(toHex(loaded.name)).toBe(toHex(objectName(made.publicArea, nodeDigest)));
    await flushContext(tpm, loaded.handle);
    await flushContext(tpm, parent);
  });

  it('the clock runs and is safe to compare', async () => {
    const { time, clockInfo } = await readClock(tpm);
    expect(time).toBeGreaterThan(0n);
    expect(clockInfo.resetCount).toBeGreaterThan(0);
  });

  it.each([
    {
      handle: 0x8000_0001,
      text: 'the first handle refers to something that is not loaded (TPM_RC_REFERENCE_H0, 0x910)',
    },
    {
      handle: 0x8000_00ff,
      text: 'value is out of range or not correct for the context (TPM_RC_VALUE, handle 1, 0x184)',
    },
  ])('a refusal says which command, what and where: $text', async ({ handle, text }) => {
    await expect(readPublic(tpm, handle)).rejects.toThrow(`TPM2_ReadPublic: ${text}`);
  });
});

/** A high-range EK is a storage key whose password is empty: enough of a parent. */
async function storageKey() {
  const ek = await createEk(tpm, 'eccHigh');
  await ek.flush();
  return ek;
}

/** tpm2-tools' file: magic, version, TPM2B_ID_OBJECT, TPM2B_ENCRYPTED_SECRET. */
function credentialOfFile(bytes: Buffer): { credentialBlob: Uint8Array; encryptedSecret: Uint8Array } {
  expect(bytes.subarray(0, 8).toString('hex')).toBe('badcc0de00000001');
  const end = 10 + bytes.readUInt16BE(8);
  return {
    credentialBlob: new Uint8Array(bytes.subarray(8, end)),
    encryptedSecret: new Uint8Array(bytes.subarray(end)),
  };
}

it('is not locked out by losing power after each enrolment', async () => {
  for (let start = 1; start <= 6; start += 1) {
    const { kind } = await chooseEk(tpm);
    const secret = await withKeys(tpm, { ek: kind, ak: 'ecc' }, async ({ ek, ak }) => {
      const akName = objectName(ak.publicArea, nodeDigest);
      const sealed = makeCredential({ ekPublic: ek.publicArea, akName, secret: SECRET });
      return activateCredential(tpm, { ek, ak, ...sealed });
    });
    expect(secret, `start ${start}`).toEqual(SECRET);
    await tpm.close();
    await machine.losePower();
    tpm = await machine.open();
    await startup(tpm);
  }
});
