import { describe, expect, it } from 'vitest';
import { verdictOf } from '../testing/verdicts-node.ts';
import type { Verdict } from '../verdict.ts';
import { renderVerdict } from './render.ts';

const good = verdictOf();
const lines = (verdict: Verdict) => renderVerdict(verdict).split('\n');
/** The text under a label, joined. */
function under(label: string, verdict: Verdict): string {
  const all = lines(verdict);
  const at = all.findIndex((line) => line.startsWith(`${label}:`));
  const next = all.findIndex((line, index) => index > at && !line.startsWith('              '));
  return at === -1
    ? ''
    : all
        .slice(at, next)
        .map((line) => line.slice(14))
        .join(' ');
}

describe('a verdict in print', () => {
  it('has the answer first, and no line past 80 columns', () => {
    for (const verdict of [
      good,
      verdictOf({ boot: { parameters: 'quiet init=/bin/sh' } }),
      verdictOf({ evidence: { quote: new Uint8Array() } }),
    ]) {
      const all = lines(verdict);
      expect(all[0]).toBe(verdict.status.toUpperCase());
      expect(all.filter((line) => line.length > 80)).toEqual([]);
    }
  });

  it('names what speaks against the TPM, each with its place in SECURITY.md', () => {
    expect(good.tpm.weaknesses.length).toBeGreaterThan(0);
    for (const { sentence, link } of good.tpm.weaknesses) {
      expect(under('Weaknesses', good)).toContain(sentence);
      expect(under('Weaknesses', good)).toContain(`(${link})`);
    }
    expect(under('Authority', good)).toContain(good.tpm.anchor?.fingerprint);
  });

  it('says what the signed result would say, and why', () => {
    expect(under('EAR status', good)).toBe(
      'contraindicated, to whoever does not share this policy: hardware: A TPM in software: whoever runs it can make it say anything.',
    );
    expect(under('EAR status', { ...good, tpm: { ...good.tpm, class: 'hardware' } })).toBe('affirming');
    expect(under('EAR status', verdictOf({ boot: { initrd: 'x' } }))).toBe('contraindicated');
  });

  it('names each oddity of the firmware that was overlooked, with the event', () => {
    const used = { name: 'separator-repeated', event: 17, sentence: 'A register has two separators.' } as const;
    expect(under('Workarounds', { ...good, workarounds: [used] })).toBe(
      'A register has two separators. [separator-repeated, event 17]',
    );
    expect(under('Workarounds', { ...good, workarounds: [] })).toBe('');
  });

  it('names the banks where there are others than the one everybody expects', () => {
    const quoted = good.banks.filter(({ status }) => status === 'quoted');
    expect(under('Banks', { ...good, banks: quoted })).toBe('');
    const capped = { bank: 'sha1', status: 'capped', sentence: 'Closed with zeros, never a boot state.' } as const;
    expect(under('Banks', { ...good, banks: [...good.banks, capped] })).toContain('sha1: Closed with zeros');
  });

  it('has one table of registers for each bank', () => {
    const [first] = good.pcrs;
    if (first === undefined) throw new Error('the good verdict has registers');
    const text = renderVerdict({ ...good, pcrs: [...good.pcrs, { ...first, bank: 'sha384', value: 'ab'.repeat(48) }] });
    expect(text.match(/^ {2}PCR sha\d+ +basis$/gm)).toHaveLength(2);
  });

  it("says what the firmware's Secure Boot trusts", () => {
    const key = (name: string | null) => ({ sha256: 'ab'.repeat(32), name });
    const secureBoot = {
      state: 'on',
      platformKeys: [],
      keyExchangeKeys: [],
      db: [key('microsoft-uefi-ca-2011'), key(null)],
      dbx: { hashes: 400, certificates: 1, release: '2025-06-11' },
      authorities: [{ ...key('microsoft-uefi-ca-2011'), vouchedBy: 'db' }],
    } as const;
    const verdict = { ...good, firmware: { secureBoot, unknowns: ['Event 9 is not known.'] } };
    expect(under('Secure Boot', verdict)).toBe(
      'on db: microsoft-uefi-ca-2011, unknown key abababababababab… dbx: 400 hashes, 1 certificates, as of 2025-06-11 or later verified by: microsoft-uefi-ca-2011',
    );
    expect(under('Unknown', verdict)).toBe('Event 9 is not known.');
  });

  it('says of claims by an image that is not attested what they are worth', () => {
    expect(under('Claims', verdictOf({ boot: { initrd: 'x' } }))).toContain('worth nothing');
  });

  it('says where the configuration came from, if the machine did', () => {
    const silent = verdictOf();
    if (silent.claims === null) throw new Error('no claims');
    expect(under('Claims', silent)).not.toContain('configuration');
    const saying = { ...silent, claims: { ...silent.claims, configurationSource: 'guestinfo' as const } };
    expect(under('Claims', saying)).toContain("configuration from VMware's guestinfo");
  });
});
