/** Chains and revocation lists that OpenSSL judges the same way, case by case: an opinion that is not ours. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toBase64 } from '../../shared/bytes.ts';
import { newKey, type Signer, usages, writeRevocationList } from '../testing/certificate-writer-node.ts';
import * as w from '../testing/der-writer.ts';
import { authority, codeOf, judge, leafUnder, middle, root, TIME } from '../testing/ek-chains-node.ts';

const exec = promisify(execFile);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ek-openssl-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const pem = (label: string, ders: readonly Uint8Array[]): string =>
  ders
    .map((der) => `-----BEGIN ${label}-----\n${toBase64(der).replace(/.{64}(?=.)/g, '$&\n')}\n-----END ${label}-----\n`)
    .join('');

interface Case {
  readonly name: string;
  readonly leaf: Uint8Array;
  readonly chain?: readonly Uint8Array[];
  readonly anchor?: Signer & { readonly certificate: Uint8Array };
  /** Of each authority on the way: then OpenSSL wants one for each. */
  readonly lists?: readonly Uint8Array[];
  readonly accepted: boolean;
}

async function opensslAccepts({ leaf, chain = [], anchor = root, lists = [] }: Case): Promise<boolean> {
  const path = (name: string): string => join(folder, name);
  await writeFile(path('leaf.pem'), pem('CERTIFICATE', [leaf]));
  await writeFile(path('chain.pem'), pem('CERTIFICATE', chain));
  await writeFile(path('anchor.pem'), pem('CERTIFICATE', [anchor.certificate]));
  await writeFile(path('lists.pem'), pem('X509 CRL', lists));
  const seconds = String(Math.floor(TIME.getTime() / 1000));
  const args = [
    'verify',
    '-partial_chain',
    '-attime',
    seconds,
    '-no-CApath',
    '-no-CAstore',
    '-CAfile',
    path('anchor.pem'),
  ];
  if (chain.length > 0) args.push('-untrusted', path('chain.pem'));
  if (lists.length > 0) args.push('-crl_check_all', '-CRLfile', path('lists.pem'));
  // critical names and usages of a TPM are not OpenSSL's business; everything else is
  return exec('openssl', [...args, path('leaf.pem')]).then(
    () => true,
    (error: { code?: unknown }) => {
      if (typeof error.code !== 'number') throw error;
      return false;
    },
  );
}

const bad = (fields: Parameters<typeof authority>[2], by: Signer = root) => authority('Bad', by, fields);
const through = (one: ReturnType<typeof authority>) => ({ leaf: leafUnder(one), chain: [one.certificate] });
const noRoom = authority('No room', undefined, {
  extensions: [w.extension('2.5.29.19', w.sequence(w.TRUE, w.integer(0)), w.TRUE), usages.certSign],
});
const serial = w.integer(0x12, 0x34);
const leaf = leafUnder(middle, { serial });
const revoking = (signer: Signer, ...revoked: Uint8Array[]) =>
  writeRevocationList({ signer, revoked, extensions: [w.extension('2.5.29.20', w.integer(1))] });

const cases: readonly Case[] = [
  { name: 'directly under the anchor', leaf: leafUnder(root), accepted: true },
  { name: 'through an intermediate', leaf, chain: [middle.certificate], accepted: true },
  { name: 'without the intermediate', leaf, accepted: false },
  { name: 'a forged signature', leaf: leafUnder(root, { forged: true }), accepted: false },
  { name: 'a namesake of the anchor', leaf: leafUnder({ key: newKey(), name: root.name }), accepted: false },
  { name: 'a forged authority', ...through(bad({ forged: true })), accepted: false },
  {
    name: 'an issuer that is no authority',
    ...through(bad({ extensions: [w.extension('2.5.29.19', w.sequence(), w.TRUE)] })),
    accepted: false,
  },
  {
    name: 'an issuer without keyCertSign',
    ...through(bad({ extensions: [usages.ca, usages.digitalSignature] })),
    accepted: false,
  },
  {
    name: 'an unknown critical extension',
    ...through(bad({ extensions: [usages.ca, w.extension('1.2.3.4', w.sequence(), w.TRUE)] })),
    accepted: false,
  },
  { name: 'an expired authority', ...through(bad({ notAfter: w.utcTime('250101000000Z') })), accepted: false },
  { name: 'a leaf of tomorrow', leaf: leafUnder(root, { notBefore: w.utcTime('270101000000Z') }), accepted: false },
  {
    name: 'more authorities than the anchor allows',
    ...through(authority('Under it', noRoom)),
    anchor: noRoom,
    accepted: false,
  },
  { name: 'as many as it allows', leaf: leafUnder(noRoom), anchor: noRoom, accepted: true },
  { name: 'an intermediate as the anchor', leaf, anchor: middle, accepted: true },
  {
    name: 'lists that revoke nothing of it',
    leaf,
    chain: [middle.certificate],
    lists: [revoking(middle, w.integer(9)), revoking(root)],
    accepted: true,
  },
  {
    name: 'a list that revokes it',
    leaf,
    chain: [middle.certificate],
    lists: [revoking(middle, w.integer(9), serial), revoking(root)],
    accepted: false,
  },
  {
    name: 'a list that revokes its authority',
    leaf,
    chain: [middle.certificate],
    lists: [revoking(middle), revoking(root, w.integer(1))],
    accepted: false,
  },
  {
    name: 'a list out of date',
    leaf,
    chain: [middle.certificate],
    lists: [writeRevocationList({ signer: middle, nextUpdate: w.utcTime('261120000000Z') }), revoking(root)],
    accepted: false,
  },
  {
    name: 'a forged list',
    leaf,
    chain: [middle.certificate],
    lists: [writeRevocationList({ signer: middle, forged: true }), revoking(root)],
    accepted: false,
  },
];

describe('OpenSSL and we', () => {
  it.each(cases)('say the same of $name', async (each) => {
    const trust = { anchors: [(each.anchor ?? root).certificate], revocationLists: each.lists ?? [] };
    const ours = codeOf(judge([each.leaf, ...(each.chain ?? [])], trust)) === null;
    expect([ours, await opensslAccepts(each)]).toEqual([each.accepted, each.accepted]);
  });
});
