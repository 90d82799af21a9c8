/**
 * The image for developers: who accepts it, and what even its shell, root on a closed machine, cannot do. Kernel, parameters,
 * settings and the sell client are those of the release.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../../scripts/project.ts';
import type { Machine } from '../../scripts/run/machine.ts';
import { waitFor } from '../../scripts/run/wait.ts';
import { policyAccepting } from '../../src/attest/policy/policies.ts';
import type { Verdict } from '../../src/attest/verdict.ts';
import { createBrokerClient } from '../../src/cli/broker-client.ts';
import { startBrokerProcess } from '../../src/cli/demo/broker-process.ts';
import { openShell, type Shell } from '../e2e/attack/shell.ts';
import { bootScene, createScene, type Judged, type Scene, testTools, waitForVerdict } from '../e2e/support.ts';
import { buildForDevelopers, expectRestart, IOMMU, keepSecret, PATIENCE_MS } from './developers-support.ts';

it('has a shell, is refused unless told, and keeps its root from what would open it; a failure wipes the memory', async () => {
  const built = await buildForDevelopers();
  const scene = await createScene(await testTools(), { referenceValues: built.referenceValues });
  const memoryFile = join(scene.folder, 'memory');
  const machine = await bootScene(scene, {
    iso: built.iso,
    memoryFile,
    extraDevices: ['intel-iommu', 'pcie-root-port,id=hotplug0,chassis=1'],
  });

  const judged = await waitForVerdict(scene, machine);
  await expectRefusedUnlessTold(scene, judged, built.referenceValues);
  await expectAcceptedByBrokerWhoIsTold(scene, built.referenceValues);

  const shell = await openShell(machine, scene.folder);
  expect(await shell.run('/usr/bin/busybox id')).toContain('uid=0');
  await expectClosedToRoot(shell);
  await expectNoDriverForWhatComes(shell, machine);

  const secrets = [scene.broker.brokerId, await keepSecret(shell)].map((text) => Buffer.from(text, 'latin1'));
  const kept = await readFile(memoryFile);
  for (const secret of secrets) expect(kept.includes(secret), 'the memory while it runs').toBe(true);
  await failAndRestart(shell, machine);
  const left = await readFile(memoryFile);
  for (const secret of secrets) expect(left.indexOf(secret), 'the memory that is left').toBe(-1);
});

/** By a broker and by a reader of its report who both hold the reference values of this very image. */
async function expectRefusedUnlessTold(scene: Scene, { attestation, report }: Judged, reference: string) {
  expect(attestation).toBe('refused');
  const failed = (report.verdict as Verdict).checks.find(({ status }) => status === 'failed');
  expect(failed).toMatchObject({ name: 'image', code: 'IMAGE_FOR_DEBUGGING' });

  const file = join(scene.folder, 'report.json');
  await writeFile(file, JSON.stringify(report));
  const verify = (...options: string[]) =>
    execa(
      process.execPath,
      [
        ...[join(projectRoot, 'bin/cpushare.js'), 'attest', 'verify', file, '--reference', reference],
        ...['--trust', join(scene.folder, 'trust.pem'), '--nonce', report.challenge, ...options],
      ],
      { reject: false },
    );
  expect(await verify()).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('IMAGE_FOR_DEBUGGING') });
  expect(await verify('--allow-debug')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('ACCEPTED') });
  for (const [debugImages, exitCode] of [
    ['refuse', 1],
    ['accept', 0],
  ] as const) {
    const policy = join(scene.folder, `${debugImages}.json`);
    await writeFile(policy, JSON.stringify({ ...policyAccepting(['software']), debugImages }));
    expect(await verify('--policy', policy), `a policy that says ${debugImages}`).toMatchObject({ exitCode });
  }
}

async function expectAcceptedByBrokerWhoIsTold(scene: Scene, reference: string): Promise<void> {
  await scene.broker.close();
  const told = await startBrokerProcess({
    dataFolder: join(scene.folder, 'broker'),
    referenceValues: [reference],
    trust: [join(scene.folder, 'trust.pem')],
    port: scene.broker.port,
    allowDebug: true,
  });
  onTestFinished(() => told.close());
  const client = createBrokerClient(told);
  await waitFor(
    async () => (await client.machines()).machines.some(({ attestation }) => attestation === 'accepted') || undefined,
    { what: 'its acceptance by a broker who was told', timeoutMs: PATIENCE_MS, pollMs: 500 },
  );
}

const SYSTEM = '/proc/sys/kernel';
/** What root would do to open the machine, and what comes of it. */
const ATTEMPTS: readonly { readonly what: string; readonly command: string; readonly says: RegExp }[] = [
  {
    what: 'take drivers again',
    command: `echo 0 > ${SYSTEM}/modules_disabled; busybox cat ${SYSTEM}/modules_disabled`,
    says: /Invalid argument[\s\S]*^1$/m,
  },
  { what: 'load a driver of the image', command: 'modprobe 8139cp', says: /Operation not permitted/ },
  {
    what: 'start another kernel',
    command: `echo 0 > ${SYSTEM}/kexec_load_disabled; busybox cat ${SYSTEM}/kexec_load_disabled`,
    says: /Invalid argument[\s\S]*^1$/m,
  },
  { what: 'hibernate', command: 'echo disk > /sys/power/state', says: /write error/ },
  {
    what: 'mount debugfs',
    command: 'busybox mkdir -p /tmp/d; busybox mount -t debugfs none /tmp/d && busybox ls /tmp/d/*',
    says: /mounting none on \/tmp\/d failed/,
  },
  { what: 'read memory', command: 'busybox dd if=/dev/mem of=/dev/null bs=4096 count=1', says: /not permitted/ },
  { what: 'read the kernel', command: 'busybox dd if=/proc/kcore of=/dev/null bs=64 count=1', says: /not permitted/ },
  { what: 'talk to ports', command: 'busybox dd if=/dev/port of=/dev/null bs=1 count=1', says: /not permitted/ },
  {
    what: 'lift the lockdown',
    command: 'echo none > /sys/kernel/security/lockdown; busybox cat /sys/kernel/security/lockdown',
    says: /none integrity \[confidentiality\]/,
  },
  {
    what: 'dump the memory of a program',
    command: 'ulimit -c; ulimit -c unlimited; cd /tmp; busybox sh -c "kill -SEGV \\$\\$"; echo /tmp/core*; echo /core*',
    says: /^0$[\s\S]*^\/tmp\/core\*$[\s\S]*^\/core\*$/m,
  },
  {
    what: 'find memory that is not overwritten',
    command: 'busybox dmesg | busybox grep "mem auto-init"',
    says: /heap alloc:on, heap free:on/,
  },
  {
    what: 'find a device that the IOMMU lets pass, or invalidates lazily',
    command: IOMMU,
    says: /^DMA\ndmar0\nstatus 0$/m,
  },
  { what: 'find swap', command: 'busybox wc -l < /proc/swaps', says: /^1$/m },
];

async function expectClosedToRoot(shell: Shell): Promise<void> {
  const answers: string[] = [];
  for (const { command } of ATTEMPTS) answers.push(await shell.run(command));
  ATTEMPTS.forEach(({ what, says }, index) => {
    expect(answers[index], what).toMatch(says);
  });
}

/** A card in a PCI slot, a keyboard on USB: both are seen, neither is served. */
async function expectNoDriverForWhatComes(shell: Shell, { qmp }: Machine): Promise<void> {
  const pciBefore = await shell.run('busybox ls /sys/bus/pci/devices');
  await qmp.execute('blockdev-add', { driver: 'null-co', 'node-name': 'late', size: 1024 * 1024 });
  await qmp.execute('device_add', { driver: 'virtio-blk-pci', bus: 'hotplug0', drive: 'late', id: 'late-card' });
  await qmp.execute('device_add', { driver: 'usb-kbd', bus: 'xhci.0', id: 'late-keyboard' });
  const fresh = await waitFor(
    async () => {
      const now = await shell.run('busybox ls /sys/bus/pci/devices');
      return now.split('\n').find((name) => name.startsWith('0000:') && !pciBefore.includes(name));
    },
    { what: 'the card in its slot', timeoutMs: PATIENCE_MS, pollMs: 1000 },
  );
  expect(await shell.run(`busybox ls /sys/bus/pci/devices/${fresh}/driver`)).toMatch(/No such file/);
  // The kernel asks a device for its name, no more: without leave it has no interfaces that a driver could serve.
  const usb =
    'for d in /sys/bus/usb/devices/*-*; do [ "$(busybox cat $d/authorized)" = 0 ] && echo $d $d:*; done; true';
  expect(await shell.run(usb)).toMatch(/^(\S+) \1:\*$/m);
}

/** A port that listens is what the sell client's look each minute finds. */
async function failAndRestart(shell: Shell, machine: Machine): Promise<void> {
  await shell.run('busybox nc -l -p 2222 > /dev/null < /dev/null & true');
  const [said] = await machine.waitForSerial(/error=MACHINE_NOT_CLOSED detail="[^"]*"/, PATIENCE_MS);
  expect(said).toContain('something listens on TCP port 2222');
  await expectRestart(machine);
}
