/** `cpushare attest`: check attestation reports and look into event logs. */
import type { CommandModule } from 'yargs';
import { lazyCommand } from './lazy-command.ts';

export const attestVerbs = [
  lazyCommand('verify <report>', 'judge a report: exit code 0 accepted, 1 refused, 2 could not be judged', async () => {
    return (await import('./attest/verify.ts')).verifyCommand;
  }),
  lazyCommand('challenge', 'check a machine yourself, through its broker: exit codes as for verify', async () => {
    return (await import('./attest/challenge.ts')).challengeCommand;
  }),
  lazyCommand('ear <verb>', 'read signed attestation results (EAR)', async () => {
    return (await import('./attest/ear.ts')).earCommand;
  }),
  lazyCommand(
    'explain <report>',
    'say in words what a machine booted and what differs from what was expected',
    async () => (await import('./attest/explain.ts')).explainCommand,
  ),
  lazyCommand('log <files..>', 'print event logs and the registers they lead to', async () => {
    return (await import('./attest/log.ts')).logCommand;
  }),
  lazyCommand('trust <verb>', 'the authorities whose word on TPMs is taken: import, list, show; ek-url', async () => {
    return (await import('./attest/trust.ts')).trustCommand;
  }),
  lazyCommand('reference <verb>', 'sign the reference values of a release, and look at them', async () => {
    return (await import('./attest/reference.ts')).referenceCommand;
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
