/** What a root file system is made of, before it becomes a tar stream. */
import type { ImageSpec } from './image-spec.ts';

export type RootEntry =
  | { readonly kind: 'folder'; readonly path: string; readonly mode?: number }
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly executable: boolean;
      readonly content: Uint8Array | { readonly file: string };
      /** Readable by root alone. */
      readonly secret?: boolean;
    }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

/** Folders that programs expect, and those whose mode is not 0755. */
const FOLDERS: readonly { readonly path: string; readonly mode?: number }[] = [
  ...['dev', 'mnt', 'proc', 'run', 'sys', 'var/lib/dhcpcd'].map((path) => ({ path })),
  { path: 'root', mode: 0o700 },
  { path: 'tmp', mode: 0o1777 },
];

/** What the packages' maintainer scripts would have made, from data alone. */
export function baseEntries(spec: Pick<ImageSpec, 'links'>, caBundle: Uint8Array): RootEntry[] {
  return [
    ...FOLDERS.map((folder): RootEntry => ({ kind: 'folder', ...folder })),
    { kind: 'file', path: 'etc/ssl/certs/ca-certificates.crt', executable: false, content: caBundle },
    ...Object.entries(spec.links).map(([path, target]): RootEntry => ({ kind: 'link', path, target })),
  ];
}

export const HOSTNAME = 'cpushare';

/** What an installer would have asked for: accounts and names. */
export function factEntries(
  spec: Pick<ImageSpec, 'name' | 'version' | 'suite' | 'accounts' | 'defaultBroker'>,
): RootEntry[] {
  const { accounts, defaultBroker } = spec;
  const lines = (rows: readonly string[]) => rows.map((row) => `${row}\n`).join('');
  const passwd = accounts.map(
    ({ name, uid, gecos, home }) => `${name}:x:${uid}:${uid}:${gecos}:${home}:/usr/bin/false`,
  );
  return [
    text('etc/passwd', lines(passwd)),
    text('etc/group', lines(accounts.map(({ name, uid }) => `${name}:x:${uid}:`))),
    // No password is valid for any account, and no date says when that was decided.
    { ...text('etc/shadow', lines(accounts.map(({ name }) => `${name}:!*:::::::`))), secret: true },
    text('etc/hostname', `${HOSTNAME}\n`),
    // Empty and not absent: programs that want a machine id make none of their own.
    text('etc/machine-id', ''),
    text('etc/os-release', osRelease(spec)),
    // Read by the sell client as a configuration of last resort (src/sell-client/places.ts).
    ...(defaultBroker === undefined
      ? []
      : [text('usr/lib/cpushare/cpushare.json', `${JSON.stringify(defaultBroker, null, 2)}\n`)]),
  ];
}

function osRelease(spec: Pick<ImageSpec, 'name' | 'version' | 'suite'>): string {
  return [
    `NAME="${spec.name}"`,
    `VERSION="${spec.version}"`,
    `PRETTY_NAME="${spec.name} ${spec.version}"`,
    'ID=cpushare',
    'ID_LIKE=debian',
    `VERSION_ID="${spec.version}"`,
    `DEBIAN_CODENAME=${spec.suite}`,
    '',
  ].join('\n');
}

export function text(path: string, content: string): Extract<RootEntry, { kind: 'file' }> {
  return { kind: 'file', path, executable: false, content: new TextEncoder().encode(content) };
}
