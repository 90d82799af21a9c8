/** `cpushare attest log`: look into an event log. Nothing it prints is proven unless a digest binds it. */
import type { CommandModule } from 'yargs';
import { nodeAttestCrypto } from '../../attest/crypto-node.ts';
import { parseEventLog } from '../../attest/event-log/parse.ts';
import { renderEventLog, reportEventLog } from '../../attest/event-log/report.ts';
import { ALL_WORKAROUNDS } from '../../attest/event-log/workarounds.ts';
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
    const log = parseEventLog(await read(file), { padding: 'allow', workarounds: ALL_WORKAROUNDS });
    const text = json ? JSON.stringify(reportEventLog(log, nodeAttestCrypto)) : renderEventLog(log, nodeAttestCrypto);
    console.log(text);
  },
};
