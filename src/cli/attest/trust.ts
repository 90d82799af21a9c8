/** `cpushare attest trust`: the authorities whose word on TPMs is taken, as files that somebody brings. No network. */
import type { Argv, CommandModule } from 'yargs';
import { nodeAttestCrypto } from '../../attest/crypto/crypto-node.ts';
import { urlsOfKey } from '../../attest/endorsement/ek-url.ts';
import type { TpmClass } from '../../attest/evidence.ts';
import { TPM_CLASSES } from '../../attest/policy/policy.ts';
import { importTrust, type NamedRoots } from '../../attest/trust/import.ts';
import { EMPTY_STORE } from '../../attest/trust/store.ts';
import { CodedError } from '../../shared/errors.ts';
import { readEkKey, readTrustMaterial } from './trust-files.ts';
import { findStored, renderImport, renderStore, renderStored, storeAsJson } from './trust-render.ts';
import { changeTrustStore, defaultTrustFolder, readTrustStore } from './trust-store.ts';

export class TrustCommandError extends CodedError<'FINGERPRINT_BAD' | 'TRUST_ID_BAD'> {}

interface StoreArguments {
  store: string;
}

const storeOption = <T>(yargs: Argv<T>): Argv<T & StoreArguments> =>
  yargs.option('store', {
    type: 'string',
    requiresArg: true,
    default: defaultTrustFolder(),
    defaultDescription: '$XDG_DATA_HOME/cpushare/trust',
    describe: 'the folder of the trust store',
  }) as unknown as Argv<T & StoreArguments>;

const importCommand: CommandModule<object, StoreArguments & { files: string[]; 'allow-unknown': string[] }> = {
  command: 'import <files..>',
  describe: 'take authorities of TPM vendors and revocation lists into the trust store',
  builder: (yargs) =>
    storeOption(yargs)
      .positional('files', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'certificates or revocation lists, PEM or DER, bundles too',
      })
      .option('allow-unknown', {
        type: 'string',
        array: true,
        requiresArg: true,
        default: [] as string[],
        describe: `SHA-256 of an authority in no table of vendors, to trust all the same; with =CLASS what it stands for (${TPM_CLASSES.join(', ')})`,
      })
      .example('$0 attest trust import tpm-ca-certificates.pem', 'roots that are known here by their fingerprint')
      .example('$0 attest trust import lab.pem --allow-unknown 3f9a…c1=hardware', 'one that only you know') as never,
  handler: async ({ files, store: folder, 'allow-unknown': allowed }) => {
    const named = readNamed(allowed);
    const material = await readTrustMaterial(files);
    const result = await changeTrustStore(folder, (store) => importTrust(store, material, named, nodeAttestCrypto));
    console.log(renderImport(result, folder));
  },
};

const listCommand: CommandModule<object, StoreArguments & { json: boolean }> = {
  command: 'list',
  describe: 'print what the trust store holds',
  builder: (yargs) =>
    storeOption(yargs)
      .option('json', { type: 'boolean', default: false, describe: 'print it as JSON, with whole fingerprints' })
      .example('$0 attest trust list', 'vendor, class, subject, expiry and fingerprint of each anchor') as never,
  handler: async ({ store: folder, json }) => {
    const store = (await readTrustStore(folder)) ?? EMPTY_STORE;
    console.log(json ? JSON.stringify(storeAsJson(store), null, 2) : renderStore(store, folder, new Date()));
  },
};

const showCommand: CommandModule<object, StoreArguments & { id: string }> = {
  command: 'show <id>',
  describe: 'print one certificate of the trust store in full',
  builder: (yargs) =>
    storeOption(yargs)
      .positional('id', { type: 'string', demandOption: true, describe: 'its SHA-256, or the beginning of it' })
      .example('$0 attest trust show cfeb02fe', 'an anchor, by the beginning of its fingerprint') as never,
  handler: async ({ store: folder, id }) => {
    const prefix = normalised(id);
    const found = findStored((await readTrustStore(folder)) ?? EMPTY_STORE, prefix);
    const [only] = found;
    if (prefix !== '' && only !== undefined && found.length === 1) return console.log(renderStored(only));
    const what = found.length === 0 ? 'is no certificate' : `begins the fingerprints of ${found.length} certificates`;
    throw new TrustCommandError('TRUST_ID_BAD', `${JSON.stringify(id)} ${what} in ${folder}`, {
      nextStep: 'look the fingerprint up with: cpushare attest trust list --json',
    });
  },
};

const ekUrlCommand: CommandModule<object, { file: string; json: boolean }> = {
  command: 'ek-url <file>',
  describe: 'print where the makers of firmware TPMs hand out the EK certificate for this key',
  builder: (yargs) =>
    yargs
      .positional('file', {
        type: 'string',
        demandOption: true,
        describe: 'a report, or the public part of an EK (tpm2_readpublic, tpm2_createek, PEM)',
      })
      .option('json', { type: 'boolean', default: false, describe: '{"intel":"https://…","amd":"https://…"}' })
      .example('$0 attest trust ek-url report.json', 'for a report whose TPM holds no EK certificate') as never,
  handler: async ({ file, json }) => {
    const urls = urlsOfKey(await readEkKey(file), nodeAttestCrypto);
    if (json) return console.log(JSON.stringify(urls));
    const hint = 'Nothing was fetched. Hand over what you fetch with: cpushare attest verify --ek-certificate FILE';
    console.log(`Intel  ${urls.intel}\nAMD    ${urls.amd}\n${hint}`);
  },
};

export const trustCommand: CommandModule = {
  command: 'trust <verb>',
  describe: 'the authorities whose word on TPMs is taken: import, list, show; ek-url',
  builder: (yargs) =>
    yargs
      .command(importCommand)
      .command(listCommand)
      .command(showCommand)
      .command(ekUrlCommand)
      .example('$0 attest trust import tpm-ca-certificates.pem', 'then: attest verify --trust-store …')
      .demandCommand(1, 'Name a verb: import, list, show or ek-url.') as never,
  handler: () => {},
};

function readNamed(texts: readonly string[]): NamedRoots {
  return new Map(
    texts.map((text) => {
      const [name = '', stated = null, ...rest] = text.split('=');
      const fingerprint = normalised(name);
      const known = stated === null || TPM_CLASSES.some((each) => each === stated);
      if (/^[0-9a-f]{64}$/.test(fingerprint) && known && rest.length === 0)
        return [fingerprint, stated as TpmClass | null];
      throw new TrustCommandError(
        'FINGERPRINT_BAD',
        `${JSON.stringify(text.slice(0, 120))} does not name an authority`,
        {
          nextStep: `write the SHA-256 of its certificate, 64 hex digits, and after "=" one of: ${TPM_CLASSES.join(', ')}`,
        },
      );
    }),
  );
}

/** As openssl and vendors' pages print fingerprints: upper case, with colons. */
const normalised = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase();
