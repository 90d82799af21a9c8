/** Has an authority on the path taken back what it signed? Lists are judged only where they speak for the path. */

import type { AttestCrypto } from '../crypto/crypto.ts';
import { nameText } from '../der/der-name.ts';
import type { Failure } from '../ledger.ts';
import type { Certificate } from './certificate.ts';
import type { PreparedTrust } from './ek-trust.ts';
import { isListOf, isOfAnotherKey, listText, type RevocationList, serialText } from './revocation.ts';

/** How many current lists spoke for the path, or the refusal. A list that should speak and cannot be believed is one. */
export function judgeRevocation(
  path: readonly Certificate[],
  trust: PreparedTrust,
  timeMs: number,
  crypto: AttestCrypto,
): { readonly lists: number } | Failure {
  let lists = 0;
  for (const [index, issuer] of path.slice(1).entries()) {
    const child = path[index];
    const named = trust.revocationLists(issuer.subject);
    if (child === undefined || named.length === 0) continue;
    const own: RevocationList[] = [];
    for (const list of named) {
      if (isListOf(list, issuer, crypto)) own.push(list);
      else if (!isOfNamesake(list, issuer, trust, crypto)) return unbelievable(list);
    }
    const [newest] = own.filter((list) => list.thisUpdateMs <= timeMs).sort((a, b) => b.thisUpdateMs - a.thisUpdateMs);
    if (newest === undefined) {
      const [early] = own;
      if (early !== undefined) return stale(early, timeMs);
      continue;
    }
    if (newest.nextUpdateMs < timeMs) return stale(newest, timeMs);
    if (newest.revoked.has(serialText(child.serial))) return revoked(child, newest);
    lists += 1;
  }
  return { lists };
}

/** Authorities of one name and several keys exist (AMD's RSA and ECC roots): then the list may be the other one's. */
function isOfNamesake(list: RevocationList, issuer: Certificate, trust: PreparedTrust, crypto: AttestCrypto): boolean {
  if (isOfAnotherKey(list, issuer)) return true;
  const namesakes = [...trust.anchors(issuer.subject), ...trust.intermediates(issuer.subject)];
  return namesakes.some((each) => each !== issuer && isListOf(list, each, crypto));
}

function unbelievable(list: RevocationList): Failure {
  return {
    code: 'REVOCATION_LIST_INVALID',
    family: 'policy',
    sentence: `Not signed by the authority in whose name it speaks, or that one may not sign lists: ${listText(list)}.`,
    remedy: 'Hand over the list as the authority publishes it, or none.',
  };
}

function stale(list: RevocationList, timeMs: number): Failure {
  return {
    code: 'REVOCATION_LIST_STALE',
    family: 'policy',
    sentence: `Not current at ${new Date(timeMs).toISOString()}: ${listText(list)}.`,
    remedy: 'Fetch the current list from the authority, or hand over none.',
  };
}

function revoked(child: Certificate, list: RevocationList): Failure {
  return {
    code: 'EK_CERTIFICATE_REVOKED',
    family: 'policy',
    sentence: `The certificate of ${nameText(child.subject)} with serial number ${serialText(child.serial)} was taken back by ${listText(list)}.`,
    remedy: 'Take another machine: the maker of this TPM does not vouch for it any more.',
  };
}
