/** `cpushare bench`, which `npm run bench` runs: one JSON line per figure, `{"name":…,"value":…,"unit":…}`. */
import type { CommandModule } from 'yargs';
import { benchAttestation } from './bench/attestation.ts';
import { benchBoot } from './bench/boot.ts';
import { benchImage } from './bench/image.ts';

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: 's' | 'bytes' | 'per_s' | 'ratio' | 'ms';
}

const parts: Record<string, (emit: (figure: Figure) => void) => Promise<void>> = {
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
