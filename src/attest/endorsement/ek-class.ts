/**
 * What kind of TPM is it? Decided by the fingerprint of the authority at the end of the path, held against what the EK
 * certificate itself says; never inferred upwards: where two sources differ, the lesser one counts.
 */

import { nameText } from '../der/der-name.ts';
import type { TpmClass } from '../evidence.ts';
import type { Certificate } from './certificate.ts';
import { isRocaKey } from './ek-roca.ts';
import type { VendorRoot } from './vendor-roots.ts';

/** TCG EK Credential Profile 2.6 §3.2.9: the names in the subject alternative name. */
const TPM_MANUFACTURER = '2.23.133.2.1';
const TPM_MODEL = '2.23.133.2.2';
/**
 * swtpm writes IBM's PCI vendor number in place of a TPM vendor id; the others are what libtpms and IBM's simulator (IBM),
 * Microsoft's simulator (XYZ), VMware (VMW) and FIDO's test certificates call themselves.
 */
const SOFTWARE_MANUFACTURERS = [
  'id:00001014',
  'id:49424D00',
  'id:49424D20',
  'id:58595A20',
  'id:564D5700',
  'id:564D5720',
  'id:FFFFF1D0',
];
/** swtpm_localca and swtpm-create-tpmca name their authorities so. */
const SWTPM = /swtpm/i;
/** The highest class that a TPM of this maker can be of, TCG Vendor ID Registry. */
const MAKERS: { readonly [id: string]: TpmClass } = {
  'id:49465800': 'hardware',
  'id:53544D20': 'hardware',
  'id:4E544300': 'hardware',
  'id:57454300': 'hardware',
  'id:41544D4C': 'hardware',
  'id:4E534700': 'hardware',
  'id:4E545A00': 'hardware',
  'id:494E5443': 'firmware',
  'id:414D4400': 'firmware',
  'id:51434F4D': 'firmware',
  'id:4D534654': 'firmware',
  'id:474F4F47': 'cloud',
  'id:414D5A4E': 'cloud',
};
/** From the strongest word to none. */
const ORDER: readonly TpmClass[] = ['hardware', 'firmware', 'cloud', 'software', 'unknown'];

export interface ClassJudgement {
  readonly class: TpmClass;
  /** One sentence without its full stop: what the class rests on. */
  readonly evidence: string;
}

export interface Endorser {
  readonly certificate: Certificate;
  readonly known: VendorRoot | null;
  /** What whoever named an anchor outside the table said of the TPMs it stands for. */
  readonly statedClass: TpmClass | null;
}

export const manufacturerOf = (leaf: Certificate): string | null =>
  leaf.alternativeAttributes.get(TPM_MANUFACTURER) ?? null;
export const modelOf = (leaf: Certificate): string | null => leaf.alternativeAttributes.get(TPM_MODEL) ?? null;

/** `path` from the EK certificate to the anchor, verified. */
export function classify(path: readonly [Certificate, ...Certificate[]], anchor: Endorser): ClassJudgement {
  const [leaf] = path;
  const manufacturer = manufacturerOf(leaf);
  const authority = anchor.known === null ? nameText(anchor.certificate.subject) : anchor.known.subject;
  if (isSoftware(path, manufacturer)) {
    return { class: 'software', evidence: `EK certificate by ${authority}: a TPM in software on the machine's host` };
  }
  if (isRocaKey(leaf.publicKey)) {
    const evidence = `EK certificate by ${authority} for a key that can be computed from its public part (ROCA)`;
    return { class: 'unknown', evidence };
  }
  if (anchor.known !== null) return ofVendor(anchor.known, manufacturer, authority);
  if (anchor.statedClass !== null) return ofStatement(anchor.statedClass, manufacturer, authority);
  return {
    class: 'unknown',
    evidence: `EK certificate by ${authority}, whose root is not in the table of known vendors and was named without a class`,
  };
}

/** A word that only lowers: whoever calls a TPM software is believed without proof. */
function isSoftware(path: readonly Certificate[], manufacturer: string | null): boolean {
  const id = manufacturer?.toUpperCase().replace('ID:', 'id:') ?? '';
  if (SOFTWARE_MANUFACTURERS.includes(id)) return true;
  const said = modelOf(path[0] as Certificate) ?? '';
  return (
    SWTPM.test(said) ||
    path.some(({ subject, issuer }) => SWTPM.test(nameText(subject)) || SWTPM.test(nameText(issuer)))
  );
}

function ofVendor(root: VendorRoot, manufacturer: string | null, authority: string): ClassJudgement {
  const fits = root.manufacturers.length === 0 || root.manufacturers.some((id) => sameId(id, manufacturer));
  if (!fits) {
    const evidence = `EK certificate by ${authority} of ${root.vendor}, but for a TPM of the manufacturer ${manufacturer ?? '(none named)'}`;
    return { class: 'unknown', evidence };
  }
  if (root.class === 'unknown') {
    return { class: 'unknown', evidence: `EK certificate by ${authority}, which stands for TPMs of every kind` };
  }
  return { class: root.class, evidence: `EK certificate by ${authority} for a TPM of ${root.vendor}` };
}

function ofStatement(stated: TpmClass, manufacturer: string | null, authority: string): ClassJudgement {
  const maker = Object.entries(MAKERS).find(([id]) => sameId(id, manufacturer))?.[1] ?? null;
  const lesser = maker !== null && ORDER.indexOf(maker) > ORDER.indexOf(stated) ? maker : stated;
  const note = lesser === stated ? '' : `, though its manufacturer ${manufacturer} makes no better than ${lesser}`;
  return {
    class: lesser,
    evidence: `EK certificate by ${authority}, which was named by hand as an authority for TPMs of class ${stated}${note}`,
  };
}

const sameId = (id: string, named: string | null): boolean => id.toLowerCase() === named?.toLowerCase();
