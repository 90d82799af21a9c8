/** `cpushare bench`, which `npm run bench` runs: one JSON line per figure, `{"name":…,"value":…,"unit":…}`. */
import type { CommandModule } from 'yargs';
import { benchAttestation } from './bench/attestation.ts';
import { benchBoot } from './bench/boot.ts';
import type { Emit } from './bench/figure.ts';
import { benchImage } from './bench/image.ts';

const parts: Record<string, (emit: Emit) => Promise<void>> = {
  image: benchImage,
  boot: benchBoot,
  attest: benchAttestation,
};

interface BenchArguments {
  only: string | undefined;
}

export const benchCommand: CommandModule<object, BenchArguments> = {
  command: 'bench',
  describe: 'measure build, boot and verification; one JSON line per figure',
  builder: (yargs) =>
    yargs
      .option('only', { type: 'string', choices: Object.keys(parts), describe: 'one part' })
      .example('npm run bench -- --only attest', 'verifications per second'),
  handler: async ({ only }) => {
    const chosen = Object.entries(parts).filter(([name]) => only === undefined || name === only);
    for (const [, measure] of chosen) await measure((figure) => console.log(JSON.stringify(figure)));
  },
};
