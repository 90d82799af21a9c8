/** `cpushare image build`: the ISO, what it will be measured as, and what it consists of. */
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { buildImage } from '../../../scripts/build.ts';
import { cacheFolder } from '../../../scripts/cache-folder.ts';
import { projectRoot } from '../../../scripts/project.ts';
import { formatSizes } from '../../../scripts/sizes.ts';
import { explainSteps, formatSteps } from '../../../scripts/step-report.ts';
import { type FlavourArguments, flavourOption } from './flavour-option.ts';
import { type MirrorArguments, mirrorOptions, mirrorsOf } from './mirror-options.ts';

interface Arguments extends MirrorArguments, FlavourArguments {
  readonly explain: boolean;
}

const print = (line: string) => console.log(line);

export const buildCommand: CommandModule<object, Arguments> = {
  command: 'build',
  describe: 'Build the ISO and its reference values from image.lock.json',
  builder: (yargs) =>
    flavourOption(mirrorOptions(yargs))
      .option('explain', {
        type: 'boolean',
        default: false,
        describe: 'say of each step why it ran: which input differs from last time',
      })
      .example('$0 image build', `write dist/cpushare-seller.iso`)
      .example('$0 image build --explain', 'the same, and why each step ran')
      .example('$0 image build --flavour wifi', 'write dist/cpushare-seller-wifi.iso')
      .example('$0 image build --mirror URL', 'take packages from another Debian mirror, such as a snapshot archive'),
  handler: async (given) => {
    const startMs = performance.now();
    const built = await buildImage({
      projectRoot,
      outputFolder: join(projectRoot, 'dist'),
      flavour: given.flavour,
      cacheFolder: cacheFolder(),
      mirrors: () => mirrorsOf(given),
      progress: print,
    });
    print(`\n${formatSteps(built.steps, (performance.now() - startMs) / 1000)}`);
    if (given.explain) print(`\n${explainSteps(built.steps)}`);
    print(`\n${formatSizes(built.sizes, built.budgetBytes)}\n`);
    const { iso, referenceValues, sbom, provenance, manifest } = built;
    for (const path of [iso, referenceValues, sbom, provenance, manifest]) print(`Wrote ${path}`);
  },
};
