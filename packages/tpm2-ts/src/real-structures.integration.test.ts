/** Structures as a TPM makes them for tpm2-tools: each arm of TPMS_ATTEST, tickets, NV, and public areas of all kinds. */
import { execFile } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eccScheme } from './algorithms.ts';
import { type TpmsAttest, tpm2bAttest, tpmsAttest } from './attest.ts';
import { EMPTY_PASSWORD } from './authorization.ts';
import { algorithmAttributes, capabilityData, commandAttributes } from './capability.ts';
import { encode, rest, sized, u16, u32, yesNo } from './codec.ts';
import { run, type Tpm } from './command.ts';
import { nvReadPublic } from './commands-state.ts';
import { CAPABILITY, type CapabilityName, CC, HASH_ALGORITHMS, RH } from './constants.ts';
import { tpmsCreationData } from './creation.ts';
import { nodeDigest } from './digest-node.ts';
import { nvName, objectName, primaryQualifiedName, tpmName } from './name.ts';
import { tpmsNvPublic } from './nv.ts';
import { digest, tpm2bPublic, tpmtPublic } from './public-area.ts';
import { rawSignature, subjectPublicKeyInfo } from './public-key.ts';
import { tpmtAnySignature, tpmtSignature } from './signature.ts';
import { struct } from './struct.ts';
import { strict } from './testing/strict.ts';
import { startTestTpm, type TestTpm } from './testing/swtpm.ts';
import { toHex } from './testing/vectors.ts';
import { creationTicket, hashcheckTicket, verifiedTicket } from './tickets.ts';

const exec = promisify(execFile);
const NV_INDEX = 0x0150_0002;

let machine: TestTpm;
/** Runs tpm2-tools in the TPM's folder, then frees what they leave in the TPM. */
const sh = (script: string) =>
  exec('bash', ['-ec', `${script}\ntpm2_flushcontext -t`], {
    cwd: machine.folder,
    env: { ...process.env, TPM2TOOLS_TCTI: machine.tcti },
  });
const file = async (name: string) => new Uint8Array(await readFile(join(machine.folder, name)));
async function onTpm<T>(work: (tpm: Tpm) => Promise<T>): Promise<T> {
  const tpm = await machine.open();
  try {
    return await work(tpm);
  } finally {
    await tpm.close();
  }
}

const SIGNER = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign|noda';
let ak: Uint8Array;
beforeAll(async () => {
  machine = await startTestTpm('tcp');
  await sh(`tpm2_createprimary -Q -C e -G ecc256:ecdsa-sha256:null -g sha256 -a '${SIGNER}' -c ak.ctx \\
              --creation-data created --creation-hash created.hash --creation-ticket created.ticket
            tpm2_readpublic -Q -c ak.ctx -o ak.pub`);
  await sh(`tpm2_nvdefine -Q ${NV_INDEX} -C o -s 8 -a 'ownerread|ownerwrite|authread'
            echo -n 12345678 | tpm2_nvwrite -Q ${NV_INDEX} -C o -i-`);
  ak = (await file('ak.pub')).subarray(2);
});
afterAll(() => machine?.stop());

/** The statement, if its signature is the AK's over exactly its bytes. */
async function signed(statement: string, signature: string): Promise<TpmsAttest> {
  const bytes = await file(statement);
  const key = strict(tpmtPublic, ak);
  const raw = rawSignature(strict(tpmtSignature, await file(signature)), key);
  const publicKey = createPublicKey({ key: Buffer.from(subjectPublicKeyInfo(key)), format: 'der', type: 'spki' });
  expect(verify('sha256', bytes, { key: publicKey, dsaEncoding: 'ieee-p1363' }, raw)).toBe(true);
  return strict(tpmsAttest, bytes);
}

describe('TPMS_ATTEST', () => {
  it('certify', async () => {
    await sh('tpm2_certify -Q -c ak.ctx -C ak.ctx -g sha256 -o certify -s certify.sig');
    expect(await signed('certify', 'certify.sig')).toMatchObject({
      type: 'certify',
      name: objectName(ak, nodeDigest),
      qualifiedName: primaryQualifiedName(ak, nodeDigest),
      qualifiedSigner: primaryQualifiedName(ak, nodeDigest),
    });
  });

  it('creation', async () => {
    await sh(`tpm2_certifycreation -Q -C ak.ctx -c ak.ctx -d created.hash -t created.ticket -g sha256 -q 0102 \\
                -o creation.sig --attestation creation`);
    const created = await file('created');
    const data = strict(sized(u16, tpmsCreationData), created);
    expect(data).toMatchObject({
      parentNameAlg: 'null',
      parentName: encode(tpmName, { kind: 'handle', handle: RH.endorsement }),
    });
    expect(await signed('creation', 'creation.sig')).toMatchObject({
      type: 'creation',
      extraData: Uint8Array.of(1, 2),
      objectName: objectName(ak, nodeDigest),
      creationHash: nodeDigest('sha256', created.subarray(2)),
    });
    expect(strict(creationTicket, await file('created.ticket'))).toMatchObject({ hierarchy: RH.endorsement });
  });

  it('time', async () => {
    await sh('tpm2_gettime -Q -c ak.ctx -g sha256 -q 0102 -o time.sig --attestation time');
    const statement = await signed('time', 'time.sig');
    if (statement.type !== 'time') throw new Error(statement.type);
    expect(statement.time.clockInfo).toEqual(statement.clockInfo);
    expect(statement.timeFirmwareVersion).toBe(statement.firmwareVersion);
  });

  it('nv, and the Name of the index', async () => {
    await sh(`tpm2_nvcertify -Q -C ak.ctx -c o -g sha256 -o nv.sig --attestation nv --size 8 ${NV_INDEX}`);
    const { nvPublic, nvName: name } = await onTpm((tpm) => nvReadPublic(tpm, NV_INDEX));
    expect(nvPublic.attributes).toMatchObject({ type: 'ordinary', ownerRead: true, written: true, policyRead: false });
    expect(toHex(nvName(encode(tpmsNvPublic, nvPublic), nodeDigest))).toBe(toHex(name));
    expect((await sh(`tpm2_nvreadpublic ${NV_INDEX}`)).stdout).toContain(`name: ${toHex(name)}`);
    expect(await signed('nv', 'nv.sig')).toMatchObject({
      type: 'nv',
      indexName: name,
      offset: 0,
      nvContents: new TextEncoder().encode('12345678'),
    });
  });

  it('nvDigest', async () => {
    await sh(`tpm2_nvcertify -Q -C ak.ctx -c o -g sha256 -o digest.sig --attestation digest --size 0 ${NV_INDEX}`);
    expect(await signed('digest', 'digest.sig')).toMatchObject({
      type: 'nvDigest',
      nvDigest: nodeDigest('sha256', new TextEncoder().encode('12345678')),
    });
  });

  it('commandAudit', async () => {
    await sh(`tpm2_setcommandauditstatus -Q ${CC.getRandom}
              tpm2_getcommandauditdigest -Q -c ak.ctx -g sha256 -s commands.sig -m commands`);
    expect(await signed('commands', 'commands.sig')).toMatchObject({ type: 'commandAudit', digestAlg: 'sha256' });
  });

  it('sessionAudit', async () => {
    await sh(`tpm2_startauthsession -Q -S session.ctx --audit-session
              tpm2_getrandom 4 --hex -S session.ctx
              tpm2_getsessionauditdigest -Q -c ak.ctx -g sha256 -s session.sig -m session -S session.ctx
              tpm2_flushcontext session.ctx`);
    expect(await signed('session', 'session.sig')).toMatchObject({
      type: 'sessionAudit',
      sessionDigest: expect.any(Uint8Array),
    });
  });

  it('signed by nobody: its signature is null, and no verifier takes it', async () => {
    const { statement, signature } = await onTpm(async (tpm) => {
      const { result } = await run(tpm, {
        name: 'TPM2_GetTime',
        code: 0x0000_014c,
        handles: [RH.endorsement, RH.null],
        authorizations: [EMPTY_PASSWORD, EMPTY_PASSWORD],
        parameters: encode(struct({ qualifyingData: digest, scheme: eccScheme }), {
          qualifyingData: new Uint8Array(),
          scheme: { algorithm: 'null' },
        }),
        response: struct({ statement: tpm2bAttest, signature: tpmtAnySignature }),
      });
      return result;
    });
    expect(statement.type).toBe('time');
    expect(signature).toEqual({ algorithm: 'null' });
    const bytes = encode(tpmtAnySignature, signature);
    strict(tpmtAnySignature, bytes);
    expect(() => strict(tpmtSignature, bytes)).toThrow('0x10 is none of rsassa, rsapss, ecdsa');
  });
});

it('TPMT_SIGNATURE of an HMAC key, which no verifier takes either', async () => {
  await sh(`tpm2_createprimary -Q -C o -c parent.ctx
            tpm2_create -Q -C parent.ctx -G hmac:sha256 -u hmac.pub -r hmac.priv
            tpm2_flushcontext -t
            tpm2_load -Q -C parent.ctx -u hmac.pub -r hmac.priv -c hmac.ctx
            tpm2_gettime -Q -c hmac.ctx -g sha256 -s hmac -o hmac.sig --attestation hmac.time`);
  const bytes = await file('hmac.sig');
  const hmac = { hash: 'sha256', digest: expect.any(Uint8Array) };
  expect(strict(tpmtAnySignature, bytes)).toEqual({ algorithm: 'hmac', hmac });
  expect(() => strict(tpmtSignature, bytes)).toThrow('0x5 is none of rsassa, rsapss, ecdsa');
});

describe('TPMS_CAPABILITY_DATA', () => {
  beforeAll(() => sh(`printf '\\x11%.0s' $(seq 32) > policy\ntpm2_setprimarypolicy -Q -C o -g sha256 -L policy`));

  it.each(Object.keys(CAPABILITY) as CapabilityName[])('%s', async (name) => {
    const parameters = struct({ capability: u32, property: u32, count: u32 });
    const answer = await onTpm((tpm) =>
      run(tpm, {
        name: 'TPM2_GetCapability',
        code: CC.getCapability,
        parameters: encode(parameters, {
          capability: CAPABILITY[name],
          property: name === 'authPolicies' ? RH.owner : 0,
          count: 64,
        }),
        response: rest,
      }),
    ).catch((error: Error) => error.name);
    // libtpms knows no countdown timers.
    if (name === 'acts' && answer === 'TPM_RC_VALUE') return;
    if (typeof answer === 'string') throw new Error(answer);
    const { data } = strict(struct({ moreData: yesNo, data: capabilityData }), answer.result);
    expect(data.capability).toBe(name);
    if (data.capability === 'algorithms') {
      const sha256 = data.algorithms.find(({ algorithm }) => algorithm === HASH_ALGORITHMS.sha256);
      expect(algorithmAttributes(sha256?.attributes ?? 0)).toMatchObject({ hash: true, asymmetric: false });
    }
    if (data.capability === 'authPolicies') {
      const policies = new Map(data.policies.map(({ handle, policy }) => [handle, policy]));
      expect(policies.get(RH.owner)).toEqual({ hash: 'sha256', digest: new Uint8Array(32).fill(0x11) });
      expect(policies.get(RH.endorsement)).toBeNull();
    }
    if (data.capability === 'commands') {
      const quote = data.commands.map(commandAttributes).find(({ code }) => code === CC.quote);
      expect(quote).toMatchObject({ commandHandles: 1, responseHandle: false, nv: false });
    }
  });
});

describe('tickets', () => {
  it('of a verified signature and of a checked hash', async () => {
    await sh(`echo text > text
              tpm2_createprimary -Q -C o -G ecc256:ecdsa-sha256:null -c signer.ctx \\
                -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign|noda'
              tpm2_flushcontext -t
              tpm2_sign -Q -c signer.ctx -g sha256 -o text.sig text
              tpm2_flushcontext -t
              tpm2_verifysignature -Q -c signer.ctx -g sha256 -m text -s text.sig -t verified
              tpm2_hash -Q -C o -g sha256 -t hashed -o hash text`);
    strict(tpmtSignature, await file('text.sig'));
    expect(strict(verifiedTicket, await file('verified'))).toMatchObject({ hierarchy: RH.owner });
    expect(strict(hashcheckTicket, await file('hashed'))).toMatchObject({ hierarchy: RH.owner });
  });
});

describe('TPM2B_PUBLIC', () => {
  beforeAll(() => sh('tpm2_createprimary -Q -C o -c parent.ctx'));

  it.each([
    { algorithm: 'ecc256:ecdsa', key: { type: 'ecc', curve: 'p256', scheme: { algorithm: 'ecdsa', hash: 'sha256' } } },
    { algorithm: 'ecc384:ecdsa-sha384', key: { curve: 'p384', scheme: { algorithm: 'ecdsa', hash: 'sha384' } } },
    { algorithm: 'ecc521:ecdh', key: { curve: 'p521', scheme: { algorithm: 'ecdh', hash: 'sha256' } } },
    { algorithm: 'ecc256:ecdaa4-sha256', key: { scheme: { algorithm: 'ecdaa', hash: 'sha256', count: 4 } } },
    { algorithm: 'ecc256:ecschnorr', key: { scheme: { algorithm: 'ecschnorr', hash: 'sha256' } } },
    { algorithm: 'rsa2048:rsaes', key: { type: 'rsa', keyBits: 2048, scheme: { algorithm: 'rsaes' } } },
    { algorithm: 'rsa3072:oaep', key: { keyBits: 3072, scheme: { algorithm: 'oaep', hash: 'sha256' } } },
    { algorithm: 'rsa2048:rsapss-sha384:null', key: { scheme: { algorithm: 'rsapss', hash: 'sha384' } } },
    { algorithm: 'rsa2048:rsassa-sha512:null', key: { scheme: { algorithm: 'rsassa', hash: 'sha512' } } },
    { algorithm: 'hmac:sha256', key: { type: 'keyedHash', scheme: { algorithm: 'hmac', hash: 'sha256' } } },
    { algorithm: 'keyedhash', key: { type: 'keyedHash', scheme: { algorithm: 'null' } } },
    { algorithm: 'aes128cfb', key: { type: 'symCipher', symmetric: { algorithm: 'aes', keyBits: 128, mode: 'cfb' } } },
    { algorithm: 'aes256ctr', key: { type: 'symCipher', symmetric: { algorithm: 'aes', keyBits: 256, mode: 'ctr' } } },
  ])('$algorithm', async ({ algorithm, key }) => {
    await sh(`rm -f key.pub key.priv key.name
              tpm2_create -Q -C parent.ctx -G ${algorithm} -u key.pub -r key.priv
              tpm2_flushcontext -t
              tpm2_load -Q -C parent.ctx -u key.pub -r key.priv -n key.name -c key.ctx`);
    const bytes = await file('key.pub');
    expect(strict(tpm2bPublic, bytes)).toMatchObject(key);
    expect(toHex(objectName(bytes.subarray(2), nodeDigest))).toBe(toHex(await file('key.name')));
  });
});
