/** A trust store in words and columns. */

import { nodeAttestCrypto } from '../../attest/crypto/crypto-node.ts';
import { keyText } from '../../attest/der/der-key.ts';
import { nameText } from '../../attest/der/der-name.ts';
import { publishedLinks } from '../../attest/endorsement/certificate-links.ts';
import { findPath } from '../../attest/endorsement/ek-path.ts';
import { quirkSentence } from '../../attest/endorsement/ek-quirks.ts';
import { prepareTrust } from '../../attest/endorsement/ek-trust.ts';
import type { ImportResult } from '../../attest/trust/import.ts';
import type { StoredAnchor, StoredCertificate, TrustStore } from '../../attest/trust/store.ts';
import { toBase64, toHex } from '../../shared/bytes.ts';

const SUBJECT_WIDTH = 28;
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

export function renderImport(
  { anchors, intermediates, revocationLists, present }: ImportResult,
  folder: string,
): string {
  const lines = anchors.map(
    (each) => `trusted: ${vendorOf(each)}, ${classOf(each)}: ${shortName(each)} ${each.fingerprint}`,
  );
  const counts = [
    `${anchors.length} anchor(s)`,
    `${intermediates.length} intermediate(s)`,
    `${revocationLists} revocation list(s) taken into ${folder}`,
  ];
  const before = present === 0 ? '' : `; ${present} were there already`;
  return [...lines, `${counts.join(', ')}${before}`].join('\n');
}

export function renderStore(store: TrustStore, folder: string, now: Date): string {
  if (store.anchors.length + store.intermediates.length + store.revocationLists.length === 0) {
    return `The trust store in ${folder} is empty. Fill it with: cpushare attest trust import FILE…`;
  }
  const rows = store.anchors
    .map((each) => [
      vendorOf(each),
      classOf(each),
      cut(shortName(each)),
      expiryOf(each, now),
      each.fingerprint.slice(0, 16),
    ])
    .sort((a, b) => a.join().localeCompare(b.join()));
  const lists = store.revocationLists.map(
    ({ list }) => `  ${day(list.thisUpdateMs)} to ${day(list.nextUpdateMs)}  ${nameText(list.issuer)}`,
  );
  return [
    ...columns([['VENDOR', 'CLASS', 'SUBJECT', 'EXPIRES', 'SHA-256'], ...rows]),
    '',
    `${store.intermediates.length} intermediate(s), ${strays(store, now)} of them without a way to an anchor above`,
    `${lists.length} revocation list(s)`,
    ...lists,
  ].join('\n');
}

export function storeAsJson(store: TrustStore) {
  const facts = ({ certificate, fingerprint }: StoredCertificate) => ({
    fingerprint,
    subject: nameText(certificate.subject),
    notAfter: new Date(certificate.notAfterMs).toISOString(),
  });
  return {
    anchors: store.anchors.map((each) => ({
      ...facts(each),
      vendor: each.known?.vendor ?? null,
      class: each.known?.class ?? each.statedClass ?? 'unknown',
      namedByHand: each.known === null,
    })),
    intermediates: store.intermediates.map(facts),
    revocationLists: store.revocationLists.map(({ list }) => ({
      issuer: nameText(list.issuer),
      thisUpdate: new Date(list.thisUpdateMs).toISOString(),
      nextUpdate: new Date(list.nextUpdateMs).toISOString(),
      revoked: list.revoked.size,
    })),
  };
}

/** By the beginning of the fingerprint, lower-case hex. */
export function findStored(store: TrustStore, prefix: string): readonly (StoredAnchor | StoredCertificate)[] {
  return [...store.anchors, ...store.intermediates].filter(({ fingerprint }) => fingerprint.startsWith(prefix));
}

export function renderStored(stored: StoredAnchor | StoredCertificate): string {
  const { certificate, fingerprint } = stored;
  const links = publishedLinks(certificate);
  const anchor = 'known' in stored ? stored : null;
  const facts: readonly (readonly [string, string])[] = [
    ['Subject', nameText(certificate.subject)],
    ['Issuer', nameText(certificate.issuer)],
    ['Serial number', toHex(certificate.serial)],
    [
      'Valid',
      `${new Date(certificate.notBeforeMs).toISOString()} to ${new Date(certificate.notAfterMs).toISOString()}`,
    ],
    ['Key', keyText(certificate.publicKey)],
    ['Authorities below', certificate.pathLength === null ? 'any number' : String(certificate.pathLength)],
    ['SHA-256', fingerprint],
    ['SHA-1', toHex(nodeAttestCrypto.hash('sha1', certificate.der))],
    ['Role', anchor === null ? 'intermediate: worth what an anchor above it signed' : 'anchor'],
    ...(anchor === null ? [] : [['Vendor', vendorOf(anchor)] as const, ['Class', classOf(anchor)] as const]),
    ...(anchor?.known ? [['Source', anchor.known.source] as const] : []),
    ...certificate.quirks.map((quirk) => ['Irregular', quirkSentence(quirk)] as const),
    ...links.issuers.map((link) => ['Issuer at', link] as const),
    ...links.revocationLists.map((link) => ['List at', link] as const),
  ];
  const base64 = toBase64(certificate.der).replace(/.{64}/g, '$&\n').trimEnd();
  const pem = `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----`;
  return [...facts.map(([name, value]) => `${name.padEnd(18)} ${value}`), pem].join('\n');
}

const vendorOf = ({ known }: StoredAnchor): string => known?.vendor ?? '(by hand)';
const classOf = ({ known, statedClass }: StoredAnchor): string => known?.class ?? statedClass ?? 'unknown';

/** The common name, or what else there is. */
function shortName({ certificate, ...rest }: StoredCertificate): string {
  const known = 'known' in rest ? (rest as { known: StoredAnchor['known'] }).known : null;
  const text = nameText(certificate.subject);
  return known?.subject ?? /(?:^|, )CN=(.*?)(?=, [A-Z]+=|$)/.exec(text)?.[1] ?? text;
}

function expiryOf({ certificate }: StoredCertificate, now: Date): string {
  return certificate.notAfterMs < now.getTime() ? 'expired' : day(certificate.notAfterMs);
}

function strays(store: TrustStore, now: Date): number {
  const ders = (from: readonly StoredCertificate[]) => from.map(({ certificate }) => certificate.der);
  const input = { anchors: ders(store.anchors), extraCertificates: ders(store.intermediates), revocationLists: [] };
  const trust = prepareTrust(input, nodeAttestCrypto);
  const leads = ({ certificate }: StoredCertificate): boolean =>
    'path' in findPath(certificate, trust, now.getTime(), nodeAttestCrypto);
  return store.intermediates.filter((each) => !leads(each)).length;
}

const cut = (text: string): string => (text.length > SUBJECT_WIDTH ? `${text.slice(0, SUBJECT_WIDTH - 1)}…` : text);

function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
