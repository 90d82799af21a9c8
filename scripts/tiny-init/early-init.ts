/**
 * /init of the initrd: mounts the measured root and hands over. No shell is there on any path; a failure restarts the
 * machine. Expects beside itself /modules/NAME.ko (uncompressed), /NAME.sqfs, and the empty folders EARLY_FOLDERS.
 */
import { MS, mount, mountOr } from './mounts.ts';
import { compile, type Step } from './program.ts';
import { ERRNO } from './system-calls.ts';

export interface EarlyInitInput {
  /** Loaded in this order. */
  readonly modules: readonly string[];
  /** Names of squashfs files; what lies in an earlier one hides the same path in a later one. */
  readonly layers: readonly string[];
}

export type EarlyInitErrorCode =
  | 'INITRD_MOUNT_FAILED'
  | 'INITRD_MODULE_FAILED'
  | 'INITRD_ROOT_UNREADABLE'
  | 'INITRD_HANDOVER_FAILED';

/** The program of the root that becomes PID 1. */
export const SYSTEM_INIT = '/usr/lib/cpushare/init';

/** What /init mounts upon. */
export function earlyFolders(layers: readonly string[]): string[] {
  return ['dev', 'layers', ...layers.map((name) => `layers/${name}`), 'modules', 'newroot', 'proc', 'sys', 'writable'];
}

export function earlyInit(input: EarlyInitInput): Uint8Array {
  const code = (name: EarlyInitErrorCode) => name;
  const failed = code('INITRD_MOUNT_FAILED');
  return compile({
    nextStep: 'write the medium again; the machine restarts in 20 seconds',
    steps: [
      mount({ type: 'proc', on: '/proc', flags: MS.noSuid | MS.noDevices | MS.noPrograms }, failed),
      mount({ type: 'sysfs', on: '/sys', flags: MS.noSuid | MS.noDevices | MS.noPrograms }, failed),
      mount({ type: 'devtmpfs', on: '/dev', flags: MS.noSuid | MS.noPrograms }, failed),
      ...input.modules.flatMap(loadModule),
      ...input.layers.flatMap(mountLayer),
      mount({ type: 'tmpfs', on: '/writable', flags: MS.noDevices, options: 'mode=0755,size=25%' }, failed),
      { call: 'mkdir', with: ['/writable/upper', 0o755], orFail: { code: failed, detail: 'upper' } },
      { call: 'mkdir', with: ['/writable/work', 0o755], orFail: { code: failed, detail: 'work' } },
      mount({ type: 'overlay', on: '/newroot', flags: MS.noDevices, options: overlayOptions(input.layers) }, failed),
      ...['dev', 'sys', 'proc'].map(
        (place): Step => ({
          call: 'mount',
          with: [`/${place}`, `/newroot/${place}`, 0, MS.move, 0],
          orFail: { code: failed, detail: `move ${place}` },
        }),
      ),
      // What the initrd held is in use or done with; without its names nothing can find it again.
      ...['/init', ...input.modules.map(modulePath), ...input.layers.map(layerPath)].map(
        (path): Step => ({ call: 'unlink', with: [path] }),
      ),
      ...handOver(),
    ],
  });
}

function loadModule(name: string): Step[] {
  const orFail = { code: 'INITRD_MODULE_FAILED', detail: name };
  return [
    { call: 'open', with: [modulePath(name), O_RDONLY, 0], keep: 'module', orFail },
    { call: 'finit_module', with: [{ kept: 'module' }, '', 0], orFail },
    { call: 'close', with: [{ kept: 'module' }] },
  ];
}

const O_RDONLY = 0;
const O_RDWR = 2;
/** linux/loop.h */
const LOOP_CTL_ADD = 0x4c80;
const LOOP_CONFIGURE = 0x4c0a;
const LO_FLAGS_READ_ONLY = 1;
/** The loop device takes its file by number, which stands in a constant: so it gets a number that nothing else has. */
const LAYER_FILE = 100;

function mountLayer(name: string, index: number): Step[] {
  const orFail = { code: 'INITRD_ROOT_UNREADABLE', detail: `${name}.sqfs` };
  const device = `/dev/loop${index}`;
  return [
    { call: 'open', with: [layerPath(name), O_RDONLY, 0], keep: 'file', orFail },
    { call: 'dup2', with: [{ kept: 'file' }, LAYER_FILE], orFail },
    { call: 'close', with: [{ kept: 'file' }] },
    { call: 'open', with: ['/dev/loop-control', O_RDWR, 0], keep: 'control', orFail },
    { call: 'ioctl', with: [{ kept: 'control' }, LOOP_CTL_ADD, index], orFail, unless: ERRNO.exists },
    { call: 'close', with: [{ kept: 'control' }] },
    { call: 'open', with: [device, O_RDWR, 0], keep: 'loop', orFail },
    { call: 'ioctl', with: [{ kept: 'loop' }, LOOP_CONFIGURE, loopConfiguration()], orFail },
    mountOr({ type: 'squashfs', source: device, on: `/layers/${name}`, flags: MS.readOnly | MS.noDevices }, orFail),
    { call: 'close', with: [{ kept: 'loop' }] },
    { call: 'close', with: [LAYER_FILE] },
  ];
}

/** struct loop_config: fd, block size (0 lets the kernel choose), struct loop_info64, eight reserved words. */
function loopConfiguration(): Uint8Array {
  const bytes = Buffer.alloc(4 + 4 + 232 + 64);
  bytes.writeUInt32LE(LAYER_FILE, 0);
  const flagsOfInfo = 5 * 8 + 3 * 4;
  bytes.writeUInt32LE(LO_FLAGS_READ_ONLY, 8 + flagsOfInfo);
  return new Uint8Array(bytes);
}

function overlayOptions(layers: readonly string[]): string {
  const lower = layers.map((name) => `/layers/${name}`).join(':');
  return `lowerdir=${lower},upperdir=/writable/upper,workdir=/writable/work`;
}

/** As switch_root(8): the new root is moved over the old one, which no path leads to afterwards. */
function handOver(): Step[] {
  const orFail = { code: 'INITRD_HANDOVER_FAILED', detail: 'root' };
  return [
    { call: 'chdir', with: ['/newroot'], orFail },
    { call: 'mount', with: ['.', '/', 0, MS.move, 0], orFail },
    { call: 'chroot', with: ['.'], orFail },
    { call: 'chdir', with: ['/'], orFail },
    {
      call: 'execve',
      with: [SYSTEM_INIT, { pointers: [SYSTEM_INIT] }, { pointers: [] }],
      orFail: { ...orFail, detail: SYSTEM_INIT },
    },
  ];
}

const modulePath = (name: string) => `/modules/${name}.ko`;
const layerPath = (name: string) => `/${name}.sqfs`;
