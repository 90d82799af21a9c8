/**
 * A software TPM 2.0 (swtpm) with an EK certificate from a CA of its own folder. Its quotes are real, its promise is not:
 * whoever runs this machine owns the TPM too. Verifiers class it `software`.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, runProgram, startChild } from './child.ts';
import { waitForPath } from './wait.ts';

export interface SoftwareTpm {
  /** Unix socket for QEMU's `-chardev socket` (the control channel of swtpm). */
  readonly controlSocket: string;
  /** PEM of the CA certificates (root, then issuing) that an operator must name to accept this TPM at all. */
  readonly trustPem: string;
  readonly process: Child;
  close(): Promise<void>;
}

const PACKAGE = 'swtpm swtpm-tools';

/**
 * Makes the TPM's state in `folder`, with EK certificates in NV from a CA beside it; kept if already made, so the machine
 * keeps its identity.
 * @param banks SHA-256 only, as Debian's default, when absent
 * @returns PEM of the CA certificates: root, then issuing
 */
export async function manufactureTpm(folder: string, banks: readonly string[] = ['sha256']): Promise<string> {
  const state = stateFolder(folder);
  const authority = join(folder, 'ca');
  await mkdir(authority, { recursive: true });
  await mkdir(state, { recursive: true });
  const config = await writeSetupConfiguration(folder, authority);
  await runProgram(
    'swtpm_setup',
    [
      '--tpm2',
      ...['--tpm-state', state],
      ...['--config', config],
      '--create-ek-cert',
      ...['--pcr-banks', banks.join(',')],
      '--lock-nvram',
      '--not-overwrite',
      ...['--logfile', join(folder, 'setup.log')],
    ],
    { debianPackage: PACKAGE },
  );
  const root = await readFile(join(authority, 'swtpm-localca-rootca-cert.pem'), 'utf8');
  return `${root}${await readFile(join(authority, 'issuercert.pem'), 'utf8')}`;
}

/** Starts the TPM of `folder`, manufacturing it first where that was not done. */
export async function startSoftwareTpm(folder: string, socketFolder: string): Promise<SoftwareTpm> {
  const trustPem = await manufactureTpm(folder);
  const controlSocket = join(socketFolder, 'swtpm.sock');
  await rm(controlSocket, { force: true });
  const child = await startChild(
    'swtpm',
    [
      'socket',
      '--tpm2',
      ...['--tpmstate', `dir=${stateFolder(folder)},mode=0600`],
      ...['--ctrl', `type=unixio,path=${controlSocket},mode=0600`],
      ...['--log', `file=${join(folder, 'swtpm.log')},level=1`],
      '--terminate', // ends by itself when QEMU closes the connection
    ],
    { debianPackage: PACKAGE },
  );
  await waitForPath(controlSocket, child);
  return { controlSocket, trustPem, process: child, close: () => child.stop() };
}

const stateFolder = (folder: string) => join(folder, 'state');

async function writeSetupConfiguration(folder: string, authority: string): Promise<string> {
  const caConfig = join(folder, 'localca.conf');
  const caOptions = join(folder, 'localca.options');
  const config = join(folder, 'setup.conf');
  const lines = (...text: string[]) => `${text.join('\n')}\n`;
  await writeFile(
    caConfig,
    lines(
      `statedir = ${authority}`,
      `signingkey = ${authority}/signkey.pem`,
      `issuercert = ${authority}/issuercert.pem`,
      `certserial = ${authority}/certserial`,
    ),
  );
  await writeFile(caOptions, lines('--platform-manufacturer QEMU', '--platform-version 2.1', '--platform-model q35'));
  await writeFile(
    config,
    lines(
      'create_certs_tool = swtpm_localca',
      `create_certs_tool_config = ${caConfig}`,
      `create_certs_tool_options = ${caOptions}`,
    ),
  );
  return config;
}
