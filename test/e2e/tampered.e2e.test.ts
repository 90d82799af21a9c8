/** One thing changed, everything else genuine: refused, and the component that differs is named. */
import { describe, expect, it } from 'vitest';
import type { MachineOptions } from '../../scripts/run/machine.ts';
import type { Verdict } from '../../src/attest/verdict.ts';
import { bootScene, createScene, isoFile, testTools, waitForVerdict } from './support.ts';
import { keepLength, withEditedGrubConfig, withOneByteChangedInInitrd } from './tamper.ts';

interface Case {
  readonly what: string;
  readonly component: string;
  readonly iso: (folder: string) => Promise<string>;
  readonly options?: Partial<MachineOptions>;
}

const cases: readonly Case[] = [
  {
    what: 'one changed byte in the initrd',
    component: 'initrd',
    iso: (folder) => withOneByteChangedInInitrd(isoFile, folder),
  },
  {
    // A parameter that is none of ours does not get that far: closed.e2e.test.ts.
    what: 'another way to name the kernel',
    component: 'kernel command line',
    iso: (folder) =>
      withEditedGrubConfig(isoFile, folder, (config) => keepLength(config, config.replace(/^linux /m, '$&/'))),
  },
  {
    what: 'an added GRUB command',
    component: 'GRUB command',
    iso: (folder) =>
      withEditedGrubConfig(isoFile, folder, (config) =>
        keepLength(config, config.replace(/^linux /m, 'set evil=1\nlinux ')),
      ),
  },
];

describe('a tampered boot is refused', () => {
  it.each(cases)('$what: names the $component', async ({ component, iso }) => {
    const scene = await createScene(await testTools());
    const machine = await bootScene(scene, { iso: await iso(scene.folder) });
    const { attestation, report } = await waitForVerdict(scene, machine);
    expect(attestation).toBe('refused');
    const failed = (report.verdict as Verdict).checks.find(({ status }) => status === 'failed');
    expect(failed?.difference?.component).toBe(component);
    expect(failed?.sentence).toContain(component);
  });

  it('Secure Boot off: refused with that reason', async () => {
    const scene = await createScene(await testTools());
    const machine = await bootScene(scene, { firmware: 'uefi' });
    const { attestation, report } = await waitForVerdict(scene, machine);
    expect(attestation).toBe('refused');
    const failed = (report.verdict as Verdict).checks.find(({ status }) => status === 'failed');
    expect(failed).toMatchObject({ code: 'SECURE_BOOT_OFF' });
  });
});
