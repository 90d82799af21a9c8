/** `cpushare attest log`: look into an event log. Nothing it prints is proven unless a digest binds it. */
import type { CommandModule } from 'yargs';
import { nodeAttestCrypto } from '../../attest/crypto-node.ts';
import { parseEventLog } from '../../attest/event-log/parse.ts';
import { renderLog, reportEventLog } from '../../attest/event-log/report.ts';
import { read } from './files.ts';

interface LogArguments {
  file: string;
  json: boolean;
}

export const logCommand: CommandModule<object, LogArguments> = {
  command: 'log <file>',
  describe: 'print an event log and the registers it leads to',
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', demandOption: true, describe: 'binary_bios_measurements' })
      .option('json', { type: 'boolean', default: false, describe: '{"banks":{"sha256":{"0":"hex",…}},"events":[…]}' })
      .example('$0 attest log /sys/kernel/security/tpm0/binary_bios_measurements', "this machine's own boot") as never,
  handler: async ({ file, json }) => {
    const log = parseEventLog(new Uint8Array(await read(file)), { padding: 'allow' });
    const report = reportEventLog(log, nodeAttestCrypto);
    console.log(json ? JSON.stringify(report) : renderLog(report));
  },
};
