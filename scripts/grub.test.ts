import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readGrubTemplate, renderGrubConfig, volumeDate } from './grub.ts';
import { projectRoot } from './project.ts';
import { predictGrub } from './reference-values-grub.ts';

const sourceDateEpoch = 1700000000;

it('writes the date of the volume as xorriso and as GRUB spell it', () => {
  expect(volumeDate(sourceDateEpoch)).toEqual({ iso: '2023111422132000', uuid: '2023-11-14-22-13-20-00' });
});

describe('the configuration of the image', () => {
  const render = async (parameters: readonly string[]) =>
    renderGrubConfig({ template: await readGrubTemplate(join(projectRoot, 'image')), parameters, sourceDateEpoch });

  it('can be foreseen, and runs only what boots', async () => {
    const prediction = predictGrub(await render(['quiet', 'console=ttyS0,115200']));
    expect(prediction.loadOptions).toBe('BOOT_IMAGE=/boot/vmlinuz quiet console=ttyS0,115200');
    expect(prediction.commands.map((command) => command.split(' ')[0])).toEqual([
      'search',
      'echo',
      'linux',
      'initrd',
      'boot',
    ]);
    expect(prediction.commands[0]).toContain(volumeDate(sourceDateEpoch).uuid);
  });

  it('ends in a restart, so that a failure never reaches a prompt', async () => {
    expect((await render(['quiet'])).trimEnd().split('\n').at(-1)).toBe('reboot');
  });

  it('takes every parameter that image.json names', async () => {
    const spec = JSON.parse(await readFile(join(projectRoot, 'image/image.json'), 'utf8')) as {
      kernelCommandLine: string[];
    };
    const { kernelCommandLine } = predictGrub(await render(spec.kernelCommandLine));
    expect(kernelCommandLine).toBe(`/boot/vmlinuz ${spec.kernelCommandLine.join(' ')}`);
  });

  it.each(['', 'a b', 'a"b', "a'b", '$root', 'a;b', 'a\nb', 'a\\b', '*', '{', '#a', '-a', 'ä', 'a|b', 'a&'])(
    'refuses the parameter %j',
    async (parameter) => {
      await expect(render(['quiet', parameter])).rejects.toThrow(
        expect.objectContaining({ code: 'BOOT_PARAMETER_INVALID' }) as Error,
      );
    },
  );
});
