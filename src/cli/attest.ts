/** `cpushare attest`: check attestation reports and look into event logs. */
import type { CommandModule } from 'yargs';
import { lazyCommand } from './lazy-command.ts';

export const attestVerbs = [
  lazyCommand('verify <report>', 'judge a report: exit code 0 accepted, 1 refused, 2 could not be judged', async () => {
    return (await import('./attest/verify.ts')).verifyCommand;
  }),
  lazyCommand('ear <verb>', 'read signed attestation results (EAR)', async () => {
    return (await import('./attest/ear.ts')).earCommand;
  }),
  lazyCommand('log <file>', 'print an event log and the registers it leads to', async () => {
    return (await import('./attest/log.ts')).logCommand;
  }),
  lazyCommand('page', 'write the verifier as one HTML file for a browser', async () => {
    return (await import('./attest/page.ts')).pageCommand;
  }),
];

export const attestCommand: CommandModule = {
  command: 'attest <verb>',
  describe: 'check attestation reports and look into event logs',
  builder: (yargs) =>
    yargs
      .command(attestVerbs)
      .example('$0 attest log /sys/kernel/security/tpm0/binary_bios_measurements', 'what this computer measured')
      .demandCommand(1, 'Name a verb.') as never,
  handler: () => {},
};
