/** Reads apt's answers: which packages it would install or download, and the verified record of each. */

/** One line of `apt-get … --print-uris`: 'URI' NAME_VERSION_ARCH.deb SIZE HASH */
export interface AptDownload {
  readonly uri: string;
  readonly name: string;
  readonly version: string;
}

export function parsePrintUris(text: string): AptDownload[] {
  const downloads: AptDownload[] = [];
  for (const line of text.split('\n')) {
    const match = /^'([^']+)' ([^_ ]+)_([^_ ]+)_[a-z0-9]+\.deb \d+/.exec(line);
    if (match === null) continue;
    const [, uri = '', name = '', version = ''] = match;
    downloads.push({ uri, name, version: decodeURIComponent(version) });
  }
  return downloads;
}

/** The fields of a Packages record that a lock needs. */
export interface PackageRecord {
  readonly name: string;
  readonly version: string;
  readonly depends: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** `apt-cache show`: RFC 822 stanzas out of the signed indexes. Stanzas without a file (installed, virtual) are passed over. */
export function parseRecords(text: string): PackageRecord[] {
  const records: PackageRecord[] = [];
  for (const stanza of text.split(/\n\n+/)) {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1];
    const [name, version, path, size, sha256] = ['Package', 'Version', 'Filename', 'Size', 'SHA256'].map(field);
    if (name === undefined || version === undefined || path === undefined || size === undefined) continue;
    if (sha256 === undefined) continue;
    records.push({ name, version, depends: field('Depends') ?? '', path, sizeBytes: Number(size), sha256 });
  }
  return records;
}

/** The signed kernel behind a metapackage: its one dependency named `linux-image-…`. */
export function kernelBehind(record: PackageRecord): string | undefined {
  const images = record.depends
    .split(',')
    .map((item) => item.trim().split(' ')[0] ?? '')
    .filter((item) => item.startsWith('linux-image-'));
  return images.length === 1 ? images[0] : undefined;
}

/** The `Date` of an InRelease file, in seconds. */
export function releaseDate(inRelease: string): { readonly text: string; readonly epoch: number } | undefined {
  const text = /^Date: (.*)$/m.exec(inRelease)?.[1];
  if (text === undefined) return undefined;
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? undefined : { text, epoch: milliseconds / 1000 };
}
