/** `cpushare image export`: the ISO as a virtual machine that others import. */
import { basename, dirname, join, resolve } from 'node:path';
import type { CommandModule } from 'yargs';
import { readIsoFacts } from '../../../scripts/export/iso-content.ts';
import { writeOva } from '../../../scripts/export/ova.ts';
import { NETWORK_CARDS, type NetworkCard } from '../../../scripts/export/ovf.ts';
import { writeVmx } from '../../../scripts/export/vmx.ts';
import { projectRoot } from '../../../scripts/project.ts';
import { readConfigurationFile } from './configuration-file.ts';

const BUILT_ISO = join(projectRoot, 'dist/cpushare-seller.iso');

interface ExportArguments {
  readonly format: 'ova' | 'vmx';
  readonly iso: string;
  readonly out?: string | undefined;
  readonly networkCard?: NetworkCard;
  readonly configuration?: string | undefined;
}

export const exportCommand: CommandModule<object, ExportArguments> = {
  command: 'export <format>',
  describe: 'Make a virtual machine of the ISO: an .ova (VirtualBox, VMware) or a .vmx folder (VMware)',
  builder: (yargs) =>
    yargs
      .positional('format', { choices: ['ova', 'vmx'] as const, demandOption: true, describe: 'what to make' })
      .option('iso', {
        type: 'string',
        requiresArg: true,
        default: BUILT_ISO,
        defaultDescription: 'dist/cpushare-seller.iso',
        describe: 'the image in it',
      })
      .option('out', { type: 'string', requiresArg: true, describe: 'where to write; beside the ISO when absent' })
      .option('network-card', {
        choices: NETWORK_CARDS,
        default: 'e1000' as const,
        describe: 'e1000, or the fast one of each: VMXNET3 in VMware, virtio in VirtualBox',
      })
      .option('configuration', { type: 'string', requiresArg: true, describe: 'a cpushare.json to put in' })
      .example('$0 image export ova', 'write dist/cpushare-seller.ova')
      .example('$0 image export vmx --network-card paravirtual', 'write the folder dist/cpushare-seller-vmx'),
  handler: async ({ format, iso: path, out, networkCard = 'e1000', configuration: file }) => {
    const iso = await readIsoFacts(path);
    const configuration = file === undefined ? undefined : (await readConfigurationFile(file)).bytes;
    const name = basename(path).replace(/\.iso$/i, '');
    const common = { iso, name, networkCard, configuration };
    if (format === 'ova') {
      const output = resolve(out ?? join(dirname(path), `${name}.ova`));
      const sizeBytes = await writeOva({ ...common, output });
      console.log(
        `Wrote ${output} (${sizeBytes} bytes). Import it in VirtualBox 7 or VMware: docs/writing.md says how.`,
      );
    } else {
      const output = resolve(out ?? join(dirname(path), `${name}-vmx`));
      await writeVmx({ ...common, output });
      console.log(`Wrote ${output}. Open ${name}.vmx in it with VMware: docs/writing.md says how.`);
    }
  },
};
