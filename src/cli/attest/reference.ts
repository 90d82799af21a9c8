/** `cpushare attest reference`: sign the reference values of a release, and look at them. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import type { CommandModule } from 'yargs';
import { nodeAttestCrypto } from '../../attest/crypto/crypto-node.ts';
import { prepareReference } from '../../attest/image/prepared-reference.ts';
import {
  encodeEnvelope,
  preAuthEncoding,
  readReferenceValues,
  referenceKeyId,
  requireP256,
  statedSigners,
} from '../../attest/image/signed-reference-values.ts';
import { CodedError } from '../../shared/errors.ts';
import { writeWhole } from '../write-whole.ts';
import { read } from './files.ts';
import { badKey, readReferenceTrust } from './reference-key.ts';

export class ReferenceCommandError extends CodedError<'REFERENCE_KEY_EXISTS' | 'REFERENCE_UNWRITABLE'> {}

const keygenCommand: CommandModule<object, { out: string }> = {
  command: 'keygen',
  describe: 'make a key that signs reference values',
  builder: (yargs) =>
    yargs
      .option('out', {
        type: 'string',
        demandOption: true,
        requiresArg: true,
        describe: 'file for the private key; the public one goes beside it as FILE.pub',
      })
      .example('$0 attest reference keygen --out release-key.pem', 'release-key.pem and release-key.pem.pub') as never,
  handler: async ({ out }) => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeNew(`${out}.pub`, publicKey.export({ format: 'pem', type: 'spki' }).toString(), 0o644);
    try {
      await writeNew(out, privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), 0o600);
    } catch (error) {
      await rm(`${out}.pub`); // written a moment ago; half a pair is of no use
      throw error;
    }
    console.log(`${out}: keep this private\n${out}.pub: publish this\nkey id ${keyIdOf(publicKey)}`);
  },
};

const signCommand: CommandModule<object, { file: string; key: string; out: string }> = {
  command: 'sign <file>',
  describe: 'sign the reference values of a release',
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', demandOption: true, describe: 'reference-values.json of the build' })
      .option('key', { type: 'string', demandOption: true, requiresArg: true, describe: 'private key (PEM, P-256)' })
      .option('out', { type: 'string', demandOption: true, requiresArg: true, describe: 'file for the signed values' })
      .example(
        '$0 attest reference sign dist/reference-values.json --key release-key.pem --out release.json',
        'a DSSE envelope that "attest verify --reference release.json" reads',
      ) as never,
  handler: async ({ file, key, out }) => {
    const payload = await read(file);
    const { values } = readReferenceValues(payload, 'unsigned', nodeAttestCrypto);
    prepareReference(values, nodeAttestCrypto); // nobody signs what contradicts itself
    const privateKey = await readPrivateKey(key);
    const keyId = keyIdOf(createPublicKey(privateKey));
    const signature = new Uint8Array(sign('sha256', preAuthEncoding(payload), privateKey));
    await writeWhole(out, encodeEnvelope(payload, signature, keyId), unwritable);
    console.log(`${out}: ${values.image.name} ${values.image.version}, signed by ${keyId}`);
  },
};

const showCommand: CommandModule<object, { file: string; 'reference-key': string[] }> = {
  command: 'show <file>',
  describe: 'print what reference values say, and whether a key signed them',
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', demandOption: true, describe: 'reference values, signed or not' })
      .option('reference-key', {
        type: 'string',
        array: true,
        requiresArg: true,
        default: [] as string[],
        describe: 'public key (PEM) that must have signed them; repeat for more',
      })
      .example(
        '$0 attest reference show release.json --reference-key release-key.pem.pub',
        'checked, then printed',
      ) as never,
  handler: async ({ file, 'reference-key': keys }) => {
    const bytes = await read(file);
    const { values, signedBy } = readReferenceValues(bytes, await readReferenceTrust(keys), nodeAttestCrypto);
    prepareReference(values, nodeAttestCrypto);
    const stated = statedSigners(bytes);
    const signature =
      signedBy !== null
        ? `signed by ${signedBy}, checked`
        : stated === null
          ? 'not signed'
          : `says it is signed by ${stated.join(', ')}, not checked: name the key with --reference-key`;
    console.log(
      [
        `${values.image.name} ${values.image.version}`,
        signature,
        `image   ${values.iso.sha256}, ${values.iso.sizeBytes} bytes`,
        `kernel command line   ${JSON.stringify(values.kernelCommandLine)}`,
        ...(['4', '8', '9', '14'] as const).map((pcr) => `PCR ${pcr.padStart(2)}   ${values.pcrs.cd[pcr]}`),
        `${values.events.length} events, ${values.kernelModules.length} kernel modules`,
      ].join('\n'),
    );
  },
};

export const referenceCommand: CommandModule = {
  command: 'reference <verb>',
  describe: 'sign the reference values of a release, and look at them',
  builder: (yargs) =>
    yargs
      .command([keygenCommand, signCommand, showCommand] as never)
      .example(
        '$0 attest reference show dist/reference-values.json',
        'which release it is, and what a TPM will measure',
      )
      .demandCommand(1, 'Name a verb.') as never,
  handler: () => {},
};

async function readPrivateKey(path: string): Promise<KeyObject> {
  const text = new TextDecoder('latin1').decode(await read(path));
  try {
    const key = createPrivateKey(text);
    requireP256(new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' })));
    return key;
  } catch (cause) {
    throw badKey(path, 'private', cause);
  }
}

/** Never over a file that is there: a lost key is lost. */
async function writeNew(path: string, text: string, mode: number): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx', mode });
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw unwritable(path, cause);
    throw new ReferenceCommandError('REFERENCE_KEY_EXISTS', `${path} is there already and is left as it is`, {
      nextStep: 'name another file with --out',
    });
  }
}

function unwritable(path: string, cause: unknown): ReferenceCommandError {
  return new ReferenceCommandError('REFERENCE_UNWRITABLE', `${path} cannot be written`, {
    cause,
    nextStep: 'name a file in a folder that is there and that you may write to',
  });
}

function keyIdOf(publicKey: KeyObject): string {
  return referenceKeyId(new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })), nodeAttestCrypto);
}
