/**
 * apt with a private state: its own sources, lists and an empty set of installed packages, so that the answer depends on
 * the archive alone. Signatures are checked by apt itself against Debian's archive keys; nothing of the host is changed.
 */
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { CodedError } from '../../src/shared/errors.ts';
import type { ImageSpec } from '../image-spec.ts';

export class AptError extends CodedError<'APT_MISSING' | 'APT_FAILED' | 'KEYRING_MISSING'> {}

const KEYRINGS = ['/usr/share/keyrings/debian-archive-keyring.gpg', '/usr/share/keyrings/debian-archive-keyring.pgp'];

export interface Apt {
  /** The folder with the verified indexes. */
  readonly listsFolder: string;
  run(program: 'apt-get' | 'apt-cache', args: readonly string[]): Promise<string>;
}

export async function prepareApt(
  folder: string,
  spec: ImageSpec,
  mirrors: { readonly debian: string; readonly security: string },
): Promise<Apt> {
  const keyring = await findKeyring();
  for (const part of ['sources', 'preferences', 'state/lists/partial', 'cache/archives/partial']) {
    await mkdir(join(folder, part), { recursive: true });
  }
  await writeFile(join(folder, 'status'), '');
  await writeFile(join(folder, 'sources/debian.sources'), sources(spec, mirrors, keyring));
  const configuration = join(folder, 'apt.conf');
  await writeFile(configuration, aptConfiguration(folder, spec));
  return {
    listsFolder: join(folder, 'state/lists'),
    run: async (program, args) => runApt(program, args, configuration, folder),
  };
}

async function findKeyring(): Promise<string> {
  for (const path of KEYRINGS) {
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  throw new AptError('KEYRING_MISSING', `Debian's archive keys are not on this host (${KEYRINGS.join(', ')})`, {
    nextStep: 'apt install debian-archive-keyring',
  });
}

function sources(spec: ImageSpec, mirrors: { debian: string; security: string }, keyring: string): string {
  const stanza = (uri: string, suites: string) =>
    [
      'Types: deb',
      `URIs: ${uri}`,
      `Suites: ${suites}`,
      `Components: ${spec.components.join(' ')}`,
      `Architectures: ${spec.architecture}`,
      `Signed-By: ${keyring}`,
      '',
    ].join('\n');
  return [
    stanza(mirrors.debian, `${spec.suite} ${spec.suite}-updates`),
    stanza(mirrors.security, `${spec.suite}-security`),
  ].join('\n');
}

function aptConfiguration(folder: string, spec: ImageSpec): string {
  const settings: Record<string, string> = {
    Dir: folder,
    'Dir::State': join(folder, 'state'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Etc::main': '/dev/null',
    'Dir::Etc::parts': '/dev/null',
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': join(folder, 'sources'),
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': join(folder, 'preferences'),
    'Dir::Etc::trusted': '/dev/null',
    'Dir::Etc::trustedparts': '/dev/null',
    'APT::Architecture': spec.architecture,
    'APT::Architectures': spec.architecture,
    'APT::Install-Recommends': 'false',
    'APT::Install-Suggests': 'false',
    'Acquire::Languages': 'none',
    // The private folder may be closed to apt's download user.
    'APT::Sandbox::User': 'root',
    // An old index is not believed: the archive states how long it is good for.
    'Acquire::Check-Valid-Until': 'true',
    'Acquire::AllowInsecureRepositories': 'false',
    'Acquire::Retries': '3',
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key} "${value}";\n`)
    .join('');
}

async function runApt(
  program: string,
  args: readonly string[],
  configuration: string,
  folder: string,
): Promise<string> {
  const result = await execa(program, [...args], {
    env: { APT_CONFIG: configuration, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    cwd: folder,
    stdin: 'ignore',
    reject: false,
    maxBuffer: 256 * 1024 * 1024,
  });
  if (result.code === 'ENOENT') {
    throw new AptError('APT_MISSING', `${program} is not on this host; only \`image lock\` needs it`, {
      nextStep: 'run `npx cpushare image lock` on a Debian or Ubuntu machine',
    });
  }
  if (result.failed) {
    const said = result.stderr.trim().split('\n').slice(-6).join('\n');
    throw new AptError('APT_FAILED', `${program} ${args[0]} failed (status ${result.exitCode})\n${said}`, {
      cause: result.cause,
      nextStep: 'check the network and the mirror (--mirror URL), then run the same command again',
    });
  }
  return result.stdout;
}
