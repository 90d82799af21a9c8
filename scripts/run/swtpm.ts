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
 * Makes the TPM's state in `folder` (kept if already made: the machine keeps its identity) and starts it.
 * @param folder absolute path, short enough for a Unix socket (about 90 characters)
 */
export async function startSoftwareTpm(folder: string, authorityFolder = join(folder, 'ca')): Promise<SoftwareTpm> {
  const state = join(folder, 'state');
  await mkdir(authorityFolder, { recursive: true });
  await mkdir(state, { recursive: true });
  await manufacture(folder, state, authorityFolder);
  const controlSocket = join(folder, 'swtpm.sock');
  await rm(controlSocket, { force: true });
  const child = await startChild(
    'swtpm',
    [
      'socket',
      '--tpm2',
      ...['--tpmstate', `dir=${state},mode=0600`],
      ...['--ctrl', `type=unixio,path=${controlSocket},mode=0600`],
      ...['--log', `file=${join(folder, 'swtpm.log')},level=1`],
      '--terminate', // ends by itself when QEMU closes the connection
    ],
    { debianPackage: PACKAGE },
  );
  await waitForPath(controlSocket, child);
  const trustPem = `${await readFile(join(authorityFolder, 'swtpm-localca-rootca-cert.pem'), 'utf8')}${await readFile(join(authorityFolder, 'issuercert.pem'), 'utf8')}`;
  return { controlSocket, trustPem, process: child, close: () => child.stop() };
}

/** swtpm_setup with our own CA folder: EK certificates in NV, SHA-256 bank only, as Debian's default. */
async function manufacture(folder: string, state: string, authority: string): Promise<void> {
  const caConfig = join(folder, 'localca.conf');
  const caOptions = join(folder, 'localca.options');
  const config = join(folder, 'setup.conf');
  await writeFile(
    caConfig,
    `statedir = ${authority}\nsigningkey = ${authority}/signkey.pem\nissuercert = ${authority}/issuercert.pem\ncertserial = ${authority}/certserial\n`,
  );
  await writeFile(caOptions, '--platform-manufacturer QEMU\n--platform-version 2.1\n--platform-model q35\n');
  await writeFile(
    config,
    `create_certs_tool = swtpm_localca\ncreate_certs_tool_config = ${caConfig}\ncreate_certs_tool_options = ${caOptions}\nactive_pcr_banks = sha256\n`,
  );
  await runProgram(
    'swtpm_setup',
    [
      '--tpm2',
      ...['--tpm-state', state],
      ...['--config', config],
      '--create-ek-cert',
      '--lock-nvram',
      '--not-overwrite',
      ...['--logfile', join(folder, 'setup.log')],
    ],
    { debianPackage: PACKAGE },
  );
}
