/**
 * The image for developers: who accepts it, and what even its shell, root on a closed machine, cannot do. Kernel, parameters,
 * settings and the sell client are those of the release.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it, onTestFinished } from 'vitest';
import { chooseMirrors } from '../../scripts/apt/mirrors.ts';
import { type BuiltImage, buildImage } from '../../scripts/build.ts';
import { cacheFolder } from '../../scripts/cache-folder.ts';
import { projectRoot } from '../../scripts/project.ts';
import { waitFor } from '../../scripts/run/wait.ts';
import { policyAccepting } from '../../src/attest/policy/policies.ts';
import type { Verdict } from '../../src/attest/verdict.ts';
import { createBrokerClient } from '../../src/cli/broker-client.ts';
import { startBrokerProcess } from '../../src/cli/demo/broker-process.ts';
import { openShell, type Shell } from '../e2e/attack/shell.ts';
import { bootScene, createScene, type Judged, type Scene, testTools, waitForVerdict } from '../e2e/support.ts';

const PATIENCE_MS = 180_000;

it('has a shell, is refused unless told, and keeps its root from what would open it', async () => {
  const built = await buildForDevelopers();
  const scene = await createScene(await testTools(), { referenceValues: built.referenceValues });
  const machine = await bootScene(scene, { iso: built.iso });

  const judged = await waitForVerdict(scene, machine);
  await expectRefusedUnlessTold(scene, judged, built.referenceValues);
  await expectAcceptedByBrokerWhoIsTold(scene, built.referenceValues);

  const shell = await openShell(machine, scene.folder);
  expect(await shell.run('/usr/bin/busybox id')).toContain('uid=0');
  await expectClosedToRoot(shell);
});

function buildForDevelopers(): Promise<BuiltImage> {
  return buildImage({
    projectRoot,
    flavour: 'debug',
    outputFolder: join(projectRoot, 'dist'),
    cacheFolder: cacheFolder(),
    mirrors: () => chooseMirrors({}),
    progress: () => undefined,
  });
}

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
];

async function expectClosedToRoot(shell: Shell): Promise<void> {
  const answers: string[] = [];
  for (const { what, command } of ATTEMPTS) answers.push(`${what}: ${await shell.run(command)}`);
  ATTEMPTS.forEach(({ what, says }, index) => {
    expect(answers[index], what).toMatch(says);
  });
}
