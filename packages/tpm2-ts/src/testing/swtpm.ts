/** A real software TPM for tests: manufactured with EK certificates by swtpm_setup, then served on two TCP ports. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Tpm } from '../command.ts';
import { EK_TEMPLATES, type EkKind } from '../templates.ts';
import { openSwtpm, type SwtpmAddress } from '../transport-swtpm.ts';

const exec = promisify(execFile);

/** Of the EKs that this package knows, those that swtpm can make: its library ends at RSA-3072. */
export const SWTPM_EK_KINDS = (Object.keys(EK_TEMPLATES) as EkKind[]).filter((kind) => kind !== 'rsa4096High');

export interface TestTpm {
  readonly folder: string;
  readonly address: SwtpmAddress;
  /** TSS configuration string under which tpm2-tools reach this TPM; only while no connection of ours is open. */
  readonly tcti: string;
  open(): Promise<Tpm>;
  /** Runs one of the tpm2-tools on this TPM and returns what it printed. */
  tool(command: string, ...args: string[]): Promise<string>;
  /** Off and on again without TPM2_Shutdown; wants TPM2_Startup next. */
  losePower(): Promise<void>;
  stop(): Promise<void>;
}

/** @param socket whether the data channel is TCP or a Unix socket; tpm2-tools need TCP */
export async function startTestTpm(socket: 'tcp' | 'unix' = 'tcp'): Promise<TestTpm> {
  const folder = await mkdtemp(join(tmpdir(), 'tpm2-ts-'));
  await manufacture(folder);
  const port = await freePortPair();
  const path = join(folder, 'data.sock');
  const address = socket === 'tcp' ? { host: '127.0.0.1', port } : { path };
  const server = socket === 'tcp' ? `type=tcp,port=${port},bindaddr=127.0.0.1` : `type=unixio,path=${path}`;
  const child = spawn('swtpm', [
    ...['socket', '--tpm2', '--tpmstate', `dir=${folder}`, '--flags', 'not-need-init,startup-clear'],
    ...['--server', server, '--ctrl', `type=tcp,port=${port + 1},bindaddr=127.0.0.1`],
  ]);
  const open = () => connectedWhenUp(child, address);
  await (await open()).close();
  const tcti = `swtpm:host=127.0.0.1,port=${port}`;
  return {
    folder,
    address,
    tcti,
    open,
    tool: async (command, ...args) => {
      const { stdout } = await exec(command, args, { cwd: folder, env: { ...process.env, TPM2TOOLS_TCTI: tcti } });
      return stdout;
    },
    losePower: async () => {
      await exec('swtpm_ioctl', ['-i', '--tcp', `127.0.0.1:${port + 1}`]);
    },
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode === null && child.kill()) await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function manufacture(folder: string): Promise<void> {
  const settings = {
    'localca.conf': ['statedir', 'signingkey', 'issuercert', 'certserial'].map(
      (key, i) => `${key} = ${join(folder, ['', 'signkey.pem', 'issuercert.pem', 'certserial'][i] ?? '')}`,
    ),
    'localca.options': ['--platform-manufacturer Test', '--platform-version 1', '--platform-model Test'],
    'setup.conf': [
      'create_certs_tool = swtpm_localca',
      `create_certs_tool_config = ${join(folder, 'localca.conf')}`,
      `create_certs_tool_options = ${join(folder, 'localca.options')}`,
      'active_pcr_banks = sha1,sha256',
    ],
  };
  for (const [name, lines] of Object.entries(settings)) await writeFile(join(folder, name), `${lines.join('\n')}\n`);
  await exec('swtpm_setup', [
    ...['--tpm2', '--tpm-state', folder, '--config', join(folder, 'setup.conf')],
    ...['--create-ek-cert', '--pcr-banks', 'sha1,sha256', '--logfile', join(folder, 'setup.log')],
  ]);
}

/** Waits until swtpm listens; fails at once when it has ended. */
async function connectedWhenUp(child: ChildProcess, address: SwtpmAddress): Promise<Tpm> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`swtpm ended with ${child.exitCode}`);
    const tpm = await openSwtpm(address).catch(() => undefined);
    if (tpm !== undefined) return tpm;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** tpm2-tools expect the control channel at the data port plus one. */
async function freePortPair(): Promise<number> {
  for (;;) {
    const first = await listening(0);
    const { port } = first.address() as { port: number };
    const second = await listening(port + 1).catch(() => undefined);
    await Promise.all([first, second].map((server) => server && new Promise((resolve) => server.close(resolve))));
    if (second !== undefined) return port;
  }
}

function listening(port: number): Promise<ReturnType<typeof createServer>> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
