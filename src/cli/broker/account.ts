/** `cpushare broker account`: who may claim machines. Works beside a running broker: accounts are files in its data folder. */
import type { CommandModule } from 'yargs';
import { addAccount, listAccounts, removeAccount } from '../../broker/accounts.ts';

interface AccountArguments {
  data: string;
  name: string;
}

const addCommand: CommandModule<object, AccountArguments> = {
  command: 'add <name>',
  describe: 'make an account and print its secret, once',
  builder: (yargs) => yargs.positional('name', { type: 'string', demandOption: true }) as never,
  handler: async ({ data, name }) => {
    const secret = await addAccount(data, name);
    console.log(
      [
        `Account ${name} is made. Give its owner this secret; it is kept nowhere and shown only now:`,
        '',
        `  ${secret}`,
        '',
        "With it, machines are claimed at the broker's /pair page.",
      ].join('\n'),
    );
  },
};

const removeCommand: CommandModule<object, AccountArguments> = {
  command: 'remove <name>',
  describe: 'remove an account; its machines show a code again within minutes',
  builder: (yargs) => yargs.positional('name', { type: 'string', demandOption: true }) as never,
  handler: async ({ data, name }) => {
    await removeAccount(data, name);
    console.log(`Account ${name} is removed.`);
  },
};

const listCommand: CommandModule<object, AccountArguments> = {
  command: 'list',
  describe: 'list the accounts',
  handler: async ({ data }) => {
    for (const name of await listAccounts(data)) console.log(name);
  },
};

export const accountCommand: CommandModule = {
  command: 'account',
  describe: "sellers' accounts",
  builder: (yargs) =>
    yargs
      .option('data', { type: 'string', default: 'cpushare-broker', describe: "the broker's data folder" })
      .command(addCommand)
      .command(removeCommand)
      .command(listCommand)
      .example('$0 broker account add anna', 'an account, and the secret to give to Anna')
      .demandCommand(1, 'Name a verb: cpushare broker account add'),
  handler: () => undefined,
};
