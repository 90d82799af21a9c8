/** `cpushare bench`, which `npm run bench` runs: one JSON line per figure, `{"name":…,"value":…,"unit":…}`. */
import type { CommandModule } from 'yargs';
import { benchAttestation } from './bench/attestation.ts';
import { benchBoot } from './bench/boot.ts';
import { benchBrowser } from './bench/browser.ts';
import { benchCompression } from './bench/compression.ts';
import { benchEventLog } from './bench/event-log.ts';
import type { Emit } from './bench/figure.ts';
import { benchImage } from './bench/image.ts';
import { benchPackage } from './bench/package.ts';
import { benchPeers } from './bench/peers.ts';
import { benchWorstCase } from './bench/worst-case.ts';

const parts: Record<string, (emit: Emit) => Promise<void>> = {
  attest: benchAttestation,
  log: benchEventLog,
  'worst-case': benchWorstCase,
  browser: benchBrowser,
  package: benchPackage,
  image: benchImage,
  boot: benchBoot,
  peers: benchPeers,
  compression: benchCompression,
};

interface BenchArguments {
  only: string[] | undefined;
}

export const benchCommand: CommandModule<object, BenchArguments> = {
  command: 'bench',
  describe: 'measure build, boot and verification; one JSON line per figure',
  builder: (yargs) =>
    yargs
      .option('only', {
        choices: Object.keys(parts),
        array: true,
        requiresArg: true,
        describe: 'only this part; repeat for more',
      })
      .example('npm run bench -- --only attest', 'verifications per second'),
  handler: async ({ only }) => {
    const chosen = Object.entries(parts).filter(([name]) => only === undefined || only.includes(name));
    for (const [, measure] of chosen) await measure((figure) => console.log(JSON.stringify(figure)));
  },
};
