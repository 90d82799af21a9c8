/**
 * Which licences a Debian package names, from its machine-readable `debian/copyright` (DEP-5, copyright-format 1.0).
 * Older packages have free text there: then nothing is said, as a guess is worse.
 */
import { readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** Short names as the package writes them (`GPL-2+`, `Expat`), sorted; undefined where the text is not machine-readable. */
export function licencesIn(copyright: string): string[] | undefined {
  const [header, ...stanzas] = copyright.split(/\n[ \t]*\n/);
  if (header === undefined || !/^(Format|Format-Specification):/m.test(header)) return undefined;
  const found = new Set<string>();
  for (const stanza of [header, ...stanzas]) {
    // A stanza without Files only gives the words of a licence that others name.
    const isAboutFiles = stanza === header || /^Files:/im.test(stanza);
    const name = /^License:[ \t]*(\S[^\n]*)/im.exec(stanza)?.[1]?.trim().replace(/\s+/g, ' ');
    if (isAboutFiles && name !== undefined) found.add(name);
  }
  return found.size === 0 ? undefined : [...found].sort();
}

/** @param treeOf the folder that a package was unpacked to, undefined for one that was not. */
export async function packageLicences(
  name: string,
  treeOf: (name: string) => string | undefined,
): Promise<readonly string[]> {
  const owner = await documentationOwner(name, treeOf);
  const tree = treeOf(owner);
  if (tree === undefined) return [];
  const text = await readFile(join(tree, 'usr/share/doc', owner, 'copyright'), 'utf8').catch(() => undefined);
  return text === undefined ? [] : (licencesIn(text) ?? []);
}

/** Debian Policy §12.5: the folder may be a link to that of another package of the same source. */
async function documentationOwner(name: string, treeOf: (name: string) => string | undefined): Promise<string> {
  const tree = treeOf(name);
  if (tree === undefined) return name;
  const target = await readlink(join(tree, 'usr/share/doc', name)).catch(() => undefined);
  return target === undefined ? name : basename(target);
}

/** Debian's short names that SPDX spells in another way. Those that both spell alike are not listed. */
const SPDX: Readonly<Record<string, string>> = {
  Expat: 'MIT',
  'BSD-2-clause': 'BSD-2-Clause',
  'BSD-3-clause': 'BSD-3-Clause',
  'BSD-4-clause': 'BSD-4-Clause',
  ...suffixed('GPL', ['1', '2', '3']),
  ...suffixed('LGPL', ['2', '2.1', '3']),
  ...suffixed('AGPL', ['3']),
  ...suffixed('GFDL', ['1.1', '1.2', '1.3']),
};

function suffixed(family: string, versions: readonly string[]): Record<string, string> {
  const named = versions.flatMap((version) => {
    const full = version.includes('.') ? version : `${version}.0`;
    return [version, full].flatMap((written): [string, string][] => [
      [`${family}-${written}`, `${family}-${full}-only`],
      [`${family}-${written}+`, `${family}-${full}-or-later`],
    ]);
  });
  return Object.fromEntries(named);
}

/** SPDX's identifier where Debian's name has one meaning, else the name as it is. */
export function spdxOrName(name: string): string {
  return SPDX[name] ?? name;
}
