/** `cpushare attest log`: look into event logs. Nothing it prints is proven unless a digest binds it. */
import type { CommandModule } from 'yargs';
import { LOG_FORMATS, type LogFormat, printLogs } from './print-logs.ts';

interface LogArguments {
  files: string[];
  json: boolean;
  format: LogFormat;
}

export const logCommand: CommandModule<object, LogArguments> = {
  command: 'log <files..>',
  describe: 'print event logs and the registers they lead to',
  builder: (yargs) =>
    yargs
      .positional('files', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'binary_bios_measurements, or folders; what is no log is named, and the exit code is then 1',
      })
      .option('json', {
        type: 'boolean',
        default: false,
        describe: '{"banks":{"sha256":{"0":"hex",…}},"events":[…]}; of several files one line each, with "file"',
      })
      .option('format', {
        choices: LOG_FORMATS,
        default: 'pcr' as const,
        describe: "ccel: the log of a confidential VM (the ACPI table's data), whose registers are not a TPM's",
      })
      .example('$0 attest log /sys/kernel/security/tpm0/binary_bios_measurements', "this machine's own boot")
      .example('$0 attest log logs/ --json', 'every log below a folder, one JSON line each') as never,
  handler: ({ files, json, format }) => {
    if (printLogs(files, { json, format }) > 0) process.exitCode = 1;
  },
};
