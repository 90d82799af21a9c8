/**
 * The wifi image in a machine with two simulated radios (mac80211_hwsim) of which a WPA network holds one: what the image
 * brings runs unchanged, and only the kernel module, the access point and its DHCP server are ours. They lie in a second
 * archive behind the initrd and are started before the image's own /init, in a root and a network namespace of their own.
 */
import { cp, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { chooseMirrors } from '../../scripts/apt/mirrors.ts';
import type { BuiltImage } from '../../scripts/build.ts';
import { cacheFolder } from '../../scripts/cache-folder.ts';
import { type CpioEntry, cpioArchive } from '../../scripts/cpio.ts';
import { decompressWith, unpackDeb } from '../../scripts/deb.ts';
import { fetchPackages } from '../../scripts/fetch.ts';
import { lockOf, readImageSource } from '../../scripts/image-source.ts';
import { packagesFor } from '../../scripts/lock-file.ts';
import { projectRoot } from '../../scripts/project.ts';
import { startChild } from '../../scripts/run/child.ts';
import { waitFor } from '../../scripts/run/wait.ts';
import { earlyInit } from '../../scripts/tiny-init/early-init.ts';

export interface Network {
  readonly networkName: string;
  readonly key: string;
  /** hostapd's `wpa_key_mgmt`: WPA2 or WPA3. */
  readonly security: 'WPA-PSK' | 'SAE';
}

export interface RadioMachine {
  serialText(): Promise<string>;
  waitForSerial(pattern: RegExp, timeoutMs: number): Promise<void>;
}

/** In the order in which they need each other. */
const RADIO_MODULES = ['rfkill', 'libarc4', 'cfg80211', 'mac80211', 'mac80211_hwsim'];

const START = `#!/tools/bin/busybox sh
# PID 1 for a moment: the radios, the access point in the background, then the image's own /init.
bb=/tools/bin/busybox
$bb mount -t tmpfs tmpfs /radio
$bb cp -a /tools/. /radio/
$bb mkdir -p /radio/proc /radio/sys /radio/dev /radio/run /radio/tmp
$bb mount -t proc proc /radio/proc
$bb mount -t sysfs sysfs /radio/sys
$bb mount -t devtmpfs devtmpfs /radio/dev
for module in ${RADIO_MODULES.join(' ')}; do $bb insmod /radio/modules/$module.ko; done
$bb chroot /radio /bin/busybox sh /start-access-point >/dev/console 2>&1 &
exec /image-init
`;
const START_ACCESS_POINT = `export PATH=/bin:/sbin:/usr/sbin
busybox unshare -n /bin/busybox sh /access-point &
until iw phy phy1 set netns $!; do busybox usleep 100000; done
wait
`;
const ACCESS_POINT = `export PATH=/bin:/sbin:/usr/sbin
until busybox ip link set wlan1 up; do busybox usleep 100000; done
busybox ip address add 192.168.77.1/24 dev wlan1
: > /run/leases
busybox udhcpd -f /udhcpd.conf &
exec hostapd /hostapd.conf
`;
const DHCP_SERVER = `interface wlan1
start 192.168.77.20
end 192.168.77.30
lease_file /run/leases
pidfile /run/udhcpd.pid
option subnet 255.255.255.0
`;

export async function bootBesideAccessPoint(
  image: BuiltImage,
  folder: string,
  network: Network,
  configurationVolume: string,
): Promise<RadioMachine> {
  const { spec } = await readImageSource(projectRoot, 'wifi');
  const { kernel, initrd } = await bootFiles(image, folder);
  await append(initrd, await toolsArchive(image, folder, network, spec.initrdModules));
  const serialLog = join(folder, 'serial.log');
  await writeFile(serialLog, '');
  const machine = await startChild(
    'qemu-system-x86_64',
    [
      ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
      // One processor, as scripts/run/machine-arguments.ts says.
      ...['-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '1', '-m', '1024M'],
      ...['-kernel', kernel, '-initrd', initrd, '-append', spec.kernelCommandLine.join(' ')],
      ...['-drive', `if=none,id=configuration,format=raw,readonly=on,file=${configurationVolume}`],
      ...['-device', 'qemu-xhci', '-device', 'usb-storage,drive=configuration,removable=on', '-device', 'VGA'],
      ...['-serial', `file:${serialLog}`],
    ],
    { debianPackage: 'qemu-system-x86' },
  );
  onTestFinished(() => machine.stop());
  // Before the folder is taken away: what is registered last runs first.
  onTestFinished(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    const kept = join(projectRoot, 'dist/test-artifacts', task.name.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 80));
    await mkdir(kept, { recursive: true });
    await cp(serialLog, join(kept, 'serial.log'));
  });
  const serialText = () => readFile(serialLog, 'latin1');
  return {
    serialText,
    waitForSerial: async (pattern, timeoutMs) => {
      const what = `${pattern} on the serial line`;
      await waitFor(async () => (pattern.test(await serialText()) ? true : undefined), {
        what,
        timeoutMs,
        whileRunning: machine,
      });
    },
  };
}

/** What GRUB would load, out of the ISO. */
async function bootFiles({ iso, tools }: BuiltImage, folder: string) {
  const take = async (name: string) => {
    const to = join(folder, name);
    await rm(to, { force: true });
    await tools.run('xorriso', ['-osirrox', 'on', '-indev', iso, '-extract', `/boot/${name}`, to]);
    await execa('chmod', ['u+w', to]);
    return to;
  };
  return { kernel: await take('vmlinuz'), initrd: await take('initrd.img') };
}

async function append(initrd: string, archive: readonly CpioEntry[]): Promise<void> {
  const file = await open(initrd, 'a');
  try {
    // The kernel takes one archive after another; a name that comes again replaces what was there.
    for await (const chunk of cpioArchive(archive, 0)) await file.write(chunk);
  } finally {
    await file.close();
  }
}

async function toolsArchive(
  image: BuiltImage,
  folder: string,
  network: Network,
  initrdModules: readonly string[],
): Promise<CpioEntry[]> {
  const text = (path: string, content: string, mode = 0o644): CpioEntry => {
    return { kind: 'file', path, mode, content: new TextEncoder().encode(content) };
  };
  const files = [
    text('tools/start-access-point', START_ACCESS_POINT),
    text('tools/access-point', ACCESS_POINT),
    text('tools/udhcpd.conf', DHCP_SERVER),
    text('tools/hostapd.conf', accessPointConfiguration(network)),
    ...(await radioModules(image, folder)),
    ...(await programs({ 'bin/busybox': 'busybox', 'sbin/iw': 'iw', 'usr/sbin/hostapd': 'hostapd' })),
  ];
  const folders = new Set(['dev', 'radio']);
  for (const { path } of files) {
    for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) folders.add(parent);
  }
  return [
    ...[...folders].sort().map((path): CpioEntry => ({ kind: 'directory', path, mode: 0o755 })),
    // A shell gives it to what it starts in the background.
    { kind: 'character-device', path: 'dev/null', mode: 0o666, major: 1, minor: 3 },
    ...files,
    {
      kind: 'file',
      path: 'image-init',
      mode: 0o755,
      content: earlyInit({ modules: initrdModules, layers: ['agent', 'base'] }),
    },
    text('init', START, 0o755),
  ];
}

function accessPointConfiguration({ networkName, key, security }: Network): string {
  return [
    'interface=wlan1',
    'driver=nl80211',
    `ssid=${networkName}`,
    'hw_mode=g',
    'channel=1',
    'wpa=2',
    `wpa_key_mgmt=${security}`,
    'rsn_pairwise=CCMP',
    security === 'SAE' ? `ieee80211w=2\nsae_password=${key}` : `wpa_passphrase=${key}`,
    '',
  ].join('\n');
}

async function radioModules({ tools }: BuiltImage, folder: string): Promise<CpioEntry[]> {
  const kernel = packagesFor(await lockOf(await readImageSource(projectRoot, 'wifi')), 'kernel');
  const [deb = ''] = (await fetchPackages(kernel, { cache: cacheFolder(), mirrors: () => chooseMirrors({}) })).values();
  const found = await unpackDeb(deb, join(folder, 'kernel'), decompressWith(tools));
  return Promise.all(
    RADIO_MODULES.map(async (name) => {
      const entry = found.find(({ path }) => basename(path) === `${name}.ko.xz`);
      const file = join(folder, 'kernel', entry?.path ?? `${name} is not in the kernel package`);
      await tools.run('xz', ['-d', file]);
      return {
        kind: 'file',
        path: `tools/modules/${name}.ko`,
        mode: 0o644,
        content: { file: file.slice(0, -3) },
      } as const;
    }),
  );
}

/** Programs of this host with the libraries that they need, at the same places. */
async function programs(wanted: Readonly<Record<string, string>>): Promise<CpioEntry[]> {
  const found = new Map<string, string>();
  for (const [path, name] of Object.entries(wanted)) {
    const { stdout } = await execa('sh', ['-c', `command -v ${name}`], {
      env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
    found.set(path, stdout);
    // A static program has no such list.
    const { stdout: libraries } = await execa('ldd', [stdout], { reject: false });
    for (const [, library = ''] of libraries.matchAll(/(\/\S+) \(0x/g)) found.set(library.slice(1), library);
  }
  return [...found].map(
    ([path, file]) => ({ kind: 'file', path: `tools/${path}`, mode: 0o755, content: { file } }) as const,
  );
}
