/** The verbs of `cpushare`. Each is loaded when it is asked for. */
import { lazyCommand } from './lazy-command.ts';

export const commands = [
  lazyCommand('image', 'Resolve, build, weigh and write the seller image', async () => {
    return (await import('./image.ts')).imageCommand;
  }),
  lazyCommand(
    'broker',
    'the broker: where machines enrol and prove what they run',
    async () => (await import('./broker.ts')).brokerCommand,
  ),
  lazyCommand('attest <verb>', 'check attestation reports and look into event logs', async () => {
    return (await import('./attest.ts')).attestCommand;
  }),
  lazyCommand(
    'demo',
    'build the image, boot it in a virtual machine, attest it to a local broker, verify the report',
    async () => (await import('./demo.ts')).demoCommand,
  ),
  lazyCommand(
    'bench',
    'measure build, boot and verification; one JSON line per figure',
    async () => (await import('./bench.ts')).benchCommand,
  ),
  lazyCommand(
    'fuzz',
    'feed hostile input to every reader, guided by the code it reaches',
    async () => (await import('./fuzz.ts')).fuzzCommand,
  ),
];
