/**
 * tpm2_checkquote as an independent judge. On quotes of real TPMs, whole or damaged, it must say what we say. Where it
 * takes what we refuse, the reason stands in the table: each row is a way in which it is no verifier of a machine.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tpmsAttest } from 'tpm2-ts/attest';
import { decode } from 'tpm2-ts/codec';
import { afterAll, describe, expect, it } from 'vitest';
import { nodeAttestCrypto as crypto } from '../../src/attest/crypto/crypto-node.ts';
import type { Evidence } from '../../src/attest/evidence.ts';
import { newLedger } from '../../src/attest/ledger.ts';
import { judgeKeys } from '../../src/attest/quote/keys.ts';
import { publicAreas } from '../../src/attest/quote/public-area.ts';
import { qualifyingData } from '../../src/attest/quote/qualifying-data.ts';
import { judgeQuote } from '../../src/attest/quote/quote.ts';
import { newMachine } from '../../src/attest/testing/attester-node.ts';
import { concatBytes, toHex } from '../../src/shared/bytes.ts';
import { loadFixture } from '../fixtures/load.ts';
import {
  attest,
  brokerId,
  challenge,
  codeOf,
  expected,
  flip,
  judge,
  evidence as made,
  signedStatement,
} from './made-evidence.ts';
import { haveVectors, pemOf, type RealQuote, realQuotes } from './real-quotes.ts';

const folder = mkdtempSync(join(tmpdir(), 'checkquote-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** @param nonce hex; left out where the quote was made without one */
function toolAccepts({ quote, signature, akPem }: Omit<RealQuote, 'name' | 'akPublic'>, nonce: string): boolean {
  const file = (name: string, content: Uint8Array | string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const args = [
    '-u',
    file('ak', akPem),
    '-m',
    file('quote', quote),
    '-s',
    file('signature', signature),
    '-g',
    'sha256',
  ];
  try {
    execFileSync('tpm2_checkquote', [...args, ...(nonce === '' ? [] : ['-q', nonce])], { stdio: 'pipe' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw error;
    return false;
  }
}

/** The same question to our code: signed by this key, a quote, over this nonce. What binds it to our protocol comes after. */
function weAccept({ quote, signature, akPublic }: Omit<RealQuote, 'name' | 'akPem'>, nonce: string): boolean {
  const ledger = newLedger([
    'keys',
    'ak-attributes',
    'quote-signature',
    'quote-format',
    'quote-signer',
    'quote-binding',
  ]);
  const evidence: Evidence = { ...made, quote, signature, akPublic };
  const keys = judgeKeys(evidence, publicAreas(crypto), ledger);
  if (keys === null) return false;
  judgeQuote(evidence, expected, keys, crypto, ledger);
  const passed = ledger.checks().some(({ name, status }) => name === 'quote-format' && status === 'passed');
  return passed && toHex(decode(tpmsAttest, quote).extraData) === nonce;
}

const nonceOf = (quote: Uint8Array): string => toHex(decode(tpmsAttest, quote).extraData);
const ours: RealQuote[] = (['p256', 'rsa2048'] as const).map((name) => {
  const { quote, signature, akPublic } = loadFixture(name).report.evidence;
  return { name, quote, signature, akPublic, akPem: pemOf(akPublic) };
});
const all = [...ours, ...realQuotes()];

describe(haveVectors ? 'real quotes' : 'real quotes (of others: skipped, no vectors)', () => {
  it.each(all.map((each) => [each.name, each] as const))('%s: accepted and refused by both alike', (name, real) => {
    const nonce = nonceOf(real.quote);
    const tool = toolAccepts(real, nonce);
    // one recording is signed with SHA-1, which we take from no AK
    if (name.includes('windows_gcp')) expect([tool, weAccept(real, nonce)]).toEqual([expect.any(Boolean), false]);
    else expect([tool, weAccept(real, nonce)]).toEqual([true, true]);
    for (const field of ['quote', 'signature'] as const) {
      for (let at = 0; at < real[field].length; at += 23) {
        const damaged = { ...real, [field]: flip(real[field], at, 0x21) };
        expect([at, toolAccepts(damaged, nonce), weAccept(damaged, nonce)]).toEqual([at, false, false]);
      }
    }
    const other = nonce === '' ? '00' : nonce.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    expect([toolAccepts(real, other), weAccept(real, other)]).toEqual([false, false]);
  });

  it('another key: refused by both', () => {
    const [first, second] = ours;
    if (first === undefined || second === undefined) throw new Error('two recordings');
    const stranger = newMachine().attest({ challenge, brokerId });
    const swapped = { ...first, akPublic: stranger.akPublic, akPem: pemOf(stranger.akPublic) };
    expect([toolAccepts(swapped, nonceOf(first.quote)), weAccept(swapped, nonceOf(first.quote))]).toEqual([
      false,
      false,
    ]);
  });
});

const version = execFileSync('tpm2_checkquote', ['--version'], { encoding: 'utf8' });
const [, major = '0', minor = '0'] = /version="(\d+)\.(\d+)/.exec(version) ?? [];
const before = (a: number, b: number): boolean => Number(major) < a || (Number(major) === a && Number(minor) < b);
const unrestricted = newMachine({ akAttributes: { restricted: false } });

/** `tool` null: differs between its versions, ours does not. */
const rows: { name: string; evidence: Evidence; tool: boolean | null; code: string; reason: string }[] = [
  {
    name: 'a signed statement that no TPM made (magic)',
    evidence: attest({ statement: (quote) => flip(quote, 1) }),
    tool: before(5, 7),
    code: 'QUOTE_MAGIC_WRONG',
    reason: 'CVE-2024-29038: the magic was not compared',
  },
  {
    name: 'a quote over fewer registers than asked for',
    evidence: attest({ quoted: [0, 1] }),
    tool: true,
    code: 'QUOTE_SELECTION_WRONG',
    reason: 'CVE-2024-29039: selection is what the quote says; nobody tells the tool what was asked for',
  },
  {
    name: 'another qualified signer',
    evidence: signedStatement((quote) => ({ ...quote, qualifiedSigner: flip(quote.qualifiedSigner, 9) })),
    tool: true,
    code: 'QUOTE_SIGNER_MISMATCH',
    reason: 'the tool is given a bare key, not its Name',
  },
  {
    name: 'a key that signs whatever it is given',
    evidence: unrestricted.attest({ challenge, brokerId }),
    tool: true,
    code: 'AK_ATTRIBUTES_UNSAFE',
    reason: 'the tool is given a bare key, not its attributes',
  },
  {
    name: 'one byte more behind the statement',
    evidence: attest({ statement: (quote) => concatBytes(quote, Uint8Array.of(0)) }),
    tool: null,
    code: 'QUOTE_TRAILING_BYTES',
    reason: 'the tool hashes the file and decodes its head',
  },
  {
    name: 'one byte more behind the signature',
    evidence: { ...made, signature: concatBytes(made.signature, Uint8Array.of(0)) },
    tool: null,
    code: 'SIGNATURE_TRAILING_BYTES',
    reason: 'the tool decodes the head of the file',
  },
  {
    name: 'a creation statement',
    evidence: signedStatement((quote) => ({
      type: 'creation',
      qualifiedSigner: quote.qualifiedSigner,
      extraData: quote.extraData,
      clockInfo: quote.clockInfo,
      firmwareVersion: quote.firmwareVersion,
      objectName: quote.qualifiedSigner,
      creationHash: new Uint8Array(32),
    })),
    tool: before(5, 7) ? true : null,
    code: 'QUOTE_TYPE_WRONG',
    reason: 'the type was not compared either (seen in 5.4)',
  },
];

describe('where tpm2_checkquote is no judge', () => {
  it.each(rows)('$name: $code; $reason', ({ evidence, tool, code }) => {
    const bare = { quote: evidence.quote, signature: evidence.signature, akPem: pemOf(evidence.akPublic) };
    const { sessionPublicKey, claims } = evidence;
    const binding = { challenge, sessionPublicKey, role: 'seller', brokerId, claims } as const;
    const asked = toHex(qualifyingData(binding, crypto));
    const accepted = toolAccepts(bare, asked);
    if (tool !== null) expect(accepted).toBe(tool);
    expect(codeOf(judge(evidence))).toBe(code);
  });
});
