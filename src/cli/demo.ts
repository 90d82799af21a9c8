/** `cpushare demo`, which `npm start` runs: the whole chain on this computer, from the lock to a verified report. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { projectRoot } from '../../scripts/project.ts';
import { chooseAccelerator } from '../../scripts/run/accelerator.ts';
import { manufactureTpm } from '../../scripts/run/swtpm.ts';
import { fromBrokerReport } from './demo/artefacts.ts';
import { attestedMachine } from './demo/attested-machine.ts';
import { startBrokerProcess } from './demo/broker-process.ts';
import { createCleanup } from './demo/cleanup.ts';
import { buildForDemo } from './demo/image.ts';
import { createProgress } from './demo/progress.ts';
import { nextSteps, verifyAsBuyer } from './demo/report.ts';

interface DemoArguments {
  keep: boolean;
  mirror: string[] | undefined;
}

export const demoCommand: CommandModule<object, DemoArguments> = {
  command: 'demo',
  describe: 'build the image, boot it in a virtual machine, attest it to a local broker, verify the report',
  builder: (yargs) =>
    yargs
      .option('keep', { type: 'boolean', default: false, describe: 'leave machine and broker running until Ctrl-C' })
      .option('mirror', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'base URL of a Debian mirror; repeat it to try several in turn',
        defaultDescription: 'the mirror of this host’s own apt sources',
      })
      .example('npm start', 'the same, with set-up before it')
      .example('npm start -- --keep', 'and look at the running machine'),
  handler: (given) => runDemo(given),
};

const ANSWER_TIMEOUT_MS = 60_000;

async function runDemo({ keep, mirror }: DemoArguments): Promise<void> {
  const progress = createProgress(process.stdout);
  const cleanup = createCleanup();
  const folder = join(projectRoot, 'dist/demo');
  try {
    progress.step('Building the seller image');
    const image = await buildForDemo((text) => progress.detail(text), mirror);
    progress.done(image.summary);

    progress.step('Looking for hardware virtualization');
    const choice = await chooseAccelerator();
    progress.done(`${choice.accelerator === 'kvm' ? 'KVM' : 'software emulation'}; ${choice.reason}`);

    await mkdir(folder, { recursive: true });
    const trustPem = await manufactureTpm(join(folder, 'tpm'));
    const trustFile = join(folder, 'trust.pem');
    await writeFile(trustFile, trustPem);

    progress.step('Starting the broker');
    const broker = await startBrokerProcess({
      dataFolder: join(folder, 'broker'),
      referenceValues: [image.referenceValues],
      trust: [trustFile],
      port: 0,
    });
    cleanup.add(broker.close);
    progress.done(broker.url);

    progress.step('Booting the image: Secure Boot, TPM, then attestation');
    const attested = await attestedMachine({
      folder,
      image,
      broker,
      accelerator: choice.accelerator,
      cleanup,
      onDetail: (text) => progress.detail(text),
    });
    const bootSeconds = (attested.powerOnToAttestedMs / 1000).toFixed(1);
    progress.done(`${attested.attestation} after ${bootSeconds} s`);

    // The broker knows first: the screen follows when its answer has arrived.
    await attested.machine.waitForSerial(/attestation=(accepted|refused)/, ANSWER_TIMEOUT_MS);
    await attested.machine.screenshot(join(folder, 'screen.png'));
    const files = await fromBrokerReport(folder, attested.report);
    process.exitCode = await verifyAsBuyer({
      ...files,
      trustFile,
      referenceValues: image.referenceValues,
      bootSeconds,
    });
    console.log(nextSteps(image.iso));
    if (keep) {
      console.log(`\nStill running: broker ${broker.url}, machine (serial log ${attested.machine.serialLog}).`);
      console.log('Ctrl-C ends both.');
      await cleanup.untilInterrupted();
    }
  } finally {
    await cleanup.run();
  }
}
