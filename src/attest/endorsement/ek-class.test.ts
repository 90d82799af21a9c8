import { describe, expect, it } from 'vitest';
import type { TpmClass } from '../evidence.ts';
import { newKey, spkiOf, tpmName, usages, writeCertificate } from '../testing/certificate-writer-node.ts';
import * as w from '../testing/der-writer.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import { classify } from './ek-class.ts';
import { VENDOR_ROOTS, type VendorRoot, vendorRootOf } from './vendor-roots.ts';

const signer = { key: newKey(), name: w.commonName('An authority') };
const publicKeyInfo = spkiOf(signer.key);
const anchor = parseCertificate(
  writeCertificate({ signer, subject: signer.name, publicKeyInfo, extensions: [usages.ca] }),
);
/** An EK certificate that names this maker, or none. */
function leafOf(manufacturer: string | null, model?: string): Certificate {
  const extensions = [usages.ek, ...(manufacturer === null ? [] : [tpmName(manufacturer, model)])];
  return parseCertificate(writeCertificate({ signer, subject: w.sequence(), publicKeyInfo, extensions }));
}
const classOf = (leaf: Certificate, known: VendorRoot | null, statedClass: TpmClass | null = null): TpmClass =>
  classify([leaf, anchor], { certificate: anchor, known, statedClass }).class;

describe('the table of vendor roots', () => {
  it('has each root once, with all facts', () => {
    expect(new Set(VENDOR_ROOTS.map(({ fingerprint }) => fingerprint)).size).toBe(VENDOR_ROOTS.length);
    for (const root of VENDOR_ROOTS) {
      expect(root.fingerprint).toMatch(/^[0-9a-f]{64}$/);
      expect(root.source).toMatch(/^https:\/\/[!-~]+$/);
      expect(root.subject).not.toBe('');
      for (const id of root.manufacturers) expect(id).toMatch(/^id:[0-9A-F]{8}$/);
      expect(vendorRootOf(root.fingerprint)).toBe(root);
    }
    expect(vendorRootOf('00'.repeat(32))).toBe(null);
  });

  it.each<[vendor: string, expected: TpmClass]>([
    ['Infineon', 'hardware'],
    ['STMicroelectronics', 'hardware'],
    ['Nuvoton', 'hardware'],
    ['NSING', 'hardware'],
    ['Nationz', 'hardware'],
    ['Intel', 'firmware'],
    ['AMD', 'firmware'],
    ['Microsoft Pluton', 'firmware'],
    ['Google', 'cloud'],
    ['Alibaba Cloud', 'cloud'],
    ['Microsoft', 'unknown'],
  ])('%s: %s', (vendor, expected) => {
    const roots = VENDOR_ROOTS.filter((root) => root.vendor === vendor);
    expect(roots.length).toBeGreaterThan(0);
    for (const root of roots) {
      for (const id of root.manufacturers) {
        expect(classOf(leafOf(id), root)).toBe(expected);
        expect(classOf(leafOf(id.toLowerCase()), root)).toBe(expected);
      }
      if (root.manufacturers.length === 0) expect(classOf(leafOf('id:12345678'), root)).toBe(expected);
    }
  });

  it('holds no vendor but those', () => expect(new Set(VENDOR_ROOTS.map(({ vendor }) => vendor)).size).toBe(11));
});

describe('a root of the table', () => {
  const infineon = VENDOR_ROOTS.find(({ vendor }) => vendor === 'Infineon') as VendorRoot;

  it.each([
    ['another maker', leafOf('id:494E5443')],
    ['no maker', leafOf(null)],
    ['a maker that is a prefix', leafOf('id:4946580')],
  ])('does not stand for TPMs of %s', (_, leaf) => expect(classOf(leaf, infineon)).toBe('unknown'));

  it('does not make hardware of what calls itself software', () => {
    expect(classOf(leafOf('id:49465800', 'swtpm'), infineon)).toBe('software');
    for (const id of ['id:00001014', 'id:49424D20', 'id:58595a20', 'ID:FFFFF1D0'])
      expect(classOf(leafOf(id), infineon)).toBe('software');
  });

  it('counts before what somebody said of it', () => {
    expect(classOf(leafOf('id:49465800'), infineon, 'cloud')).toBe('hardware');
  });
});

describe('a root that is in no table', () => {
  it.each<[id: string, stated: TpmClass | null, expected: TpmClass]>([
    ['id:49465800', null, 'unknown'],
    ['id:49465800', 'hardware', 'hardware'],
    ['id:49465800', 'unknown', 'unknown'],
    ['id:414D4400', 'hardware', 'firmware'],
    ['id:474F4F47', 'firmware', 'cloud'],
    ['id:474F4F47', 'software', 'software'],
    ['id:12345678', 'hardware', 'hardware'],
  ])('for a TPM of %s, said to be %s: %s', (id, stated, expected) => {
    expect(classOf(leafOf(id), null, stated)).toBe(expected);
  });
});
