/**
 * PID 1 of the live root: mounts, kernel settings, a deaf console, and then the sell client, kept alive. /proc, /sys and
 * /dev come mounted from the initrd.
 */

import { MS, mount, mountOr } from './mounts.ts';
import { compile, type Step } from './program.ts';
import { keepServices, type Service, wipe } from './services.ts';
import { consoleSteps } from './terminals.ts';

export interface SystemInitInput {
  /** sysctl.conf(5): `key = value`, one a line. */
  readonly kernelSettings: string;
  readonly hostname: string;
  /** Adds a shell on the serial line: only in an image for developers, which says so everywhere. */
  readonly debugShell: boolean;
}

export type SystemInitErrorCode =
  | 'SYSINIT_MOUNT_FAILED'
  | 'SYSINIT_SETTING_FAILED'
  | 'SELL_CLIENT_ENDED'
  | 'DEBUG_SHELL_ENDED';

const MOUNT_FAILED: SystemInitErrorCode = 'SYSINIT_MOUNT_FAILED';
const PATH = 'PATH=/usr/sbin:/usr/bin';
const TEMPORARY = ['/dev/shm', '/run', '/tmp'];

export function systemInit(input: SystemInitInput): Uint8Array {
  return compile({
    nextStep: 'the machine restarts by itself; write the medium again if this returns',
    steps: [
      ...mounts(),
      { call: 'sethostname', with: [input.hostname, input.hostname.length], orFail: settingFailed('hostname') },
      { call: 'prlimit64', with: [0, RLIMIT_CORE, new Uint8Array(16), 0], orFail: settingFailed('core limit') },
      ...kernelSettings(input.kernelSettings).flatMap(({ path, value }) => writeSetting(path, value)),
      ...loopbackUp(),
      ...consoleSteps({ serialInput: input.debugShell }),
    ],
    afterwards: keepServices([sellClient, ...(input.debugShell ? [shell] : [])]),
    wipe: wipe(TEMPORARY),
  });
}

/** Ends at once and without success: the shell of accounts that nobody logs in to, and the place that core dumps go to. */
export function falseProgram(): Uint8Array {
  return compile({ nextStep: '', steps: [{ call: 'exit', with: [1] }] });
}

function mounts(): Step[] {
  const quiet = MS.noSuid | MS.noDevices | MS.noPrograms;
  const temporary = (on: string, mode: string) =>
    mount({ type: 'tmpfs', on, flags: quiet, options: `mode=${mode},size=10%` }, MOUNT_FAILED);
  return [
    ...['/dev/pts', '/dev/shm'].map((path): Step => ({ call: 'mkdir', with: [path, 0o755] })),
    mount(
      { type: 'devpts', on: '/dev/pts', flags: MS.noSuid | MS.noPrograms, options: 'mode=0600,ptmxmode=0600' },
      MOUNT_FAILED,
    ),
    temporary('/dev/shm', '1777'),
    temporary('/run', '0755'),
    temporary('/tmp', '1777'),
    // The TPM's event log and IMA's list live here.
    mount({ type: 'securityfs', on: '/sys/kernel/security', flags: quiet }, MOUNT_FAILED),
    // Only read for the SecureBoot variable, so its absence (legacy boot) is no failure. The kernel loads its module.
    mountOr({ type: 'efivarfs', on: '/sys/firmware/efi/efivars', flags: quiet | MS.readOnly }, undefined),
    // What a kernel that panicked kept in NVRAM. Nothing depends on it.
    mountOr({ type: 'pstore', on: '/sys/fs/pstore', flags: quiet }, undefined),
  ];
}

const RLIMIT_CORE = 4;

/** @throws Error for a line that is neither a comment nor `key = value` */
export function kernelSettings(text: string): { readonly path: string; readonly value: string }[] {
  const lines = text.split('\n').filter((line) => !/^\s*(#|$)/.test(line));
  return lines.map((line) => {
    const [, key, value] = /^([a-z0-9_.-]+) = (\S.*)$/.exec(line) ?? [];
    if (key === undefined || value === undefined) throw new Error(`no kernel setting: ${line}`);
    return { path: `/proc/sys/${key.replaceAll('.', '/')}`, value };
  });
}

function settingFailed(detail: string) {
  return { code: 'SYSINIT_SETTING_FAILED', detail };
}

const O_WRONLY = 1;

function writeSetting(path: string, value: string): Step[] {
  const orFail = settingFailed(path);
  return [
    { call: 'open', with: [path, O_WRONLY, 0], keep: 'setting', orFail },
    { call: 'write', with: [{ kept: 'setting' }, value, value.length], orFail },
    { call: 'close', with: [{ kept: 'setting' }] },
  ];
}

const [AF_INET, SOCK_DGRAM, SIOCSIFFLAGS, IFF_UP] = [2, 2, 0x8914, 1];

/** Only the loopback; the network cards are the sell client's work. */
function loopbackUp(): Step[] {
  const orFail = settingFailed('loopback');
  const request = Buffer.alloc(40); // struct ifreq: 16 bytes of name, then the flags
  request.write('lo', 0);
  request.writeUInt16LE(IFF_UP, 16);
  return [
    { call: 'socket', with: [AF_INET, SOCK_DGRAM, 0], keep: 'socket', orFail },
    { call: 'ioctl', with: [{ kept: 'socket' }, SIOCSIFFLAGS, new Uint8Array(request)], orFail },
    { call: 'close', with: [{ kept: 'socket' }] },
  ];
}

const sellClient: Service = {
  program: '/usr/bin/node',
  arguments: ['/usr/bin/node', '/usr/lib/cpushare/sell-client.js'],
  environment: [PATH, 'HOME=/root', 'TERM=linux'],
  input: '/dev/null',
  ownTerminal: false,
  orFail: { code: 'SELL_CLIENT_ENDED', detail: 'five times in a row' },
};

const shell: Service = {
  program: '/usr/bin/busybox',
  arguments: ['sh', '-i'],
  environment: [PATH, 'HOME=/root', 'TERM=vt100'],
  input: '/dev/ttyS0',
  ownTerminal: true,
  orFail: { code: 'DEBUG_SHELL_ENDED', detail: 'five times in a row' },
};
