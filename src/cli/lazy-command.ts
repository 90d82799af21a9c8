/** A verb whose code is read only when it is asked for: `attest log` must not wait for a database to load. */
import type { Argv, CommandModule } from 'yargs';

export interface LazyCommand extends CommandModule {
  readonly load: () => Promise<CommandModule>;
}

/** `command` and `describe` repeat what the loaded module says; help.test.ts holds them equal. */
export function lazyCommand<T>(
  command: string,
  describe: string,
  load: () => Promise<CommandModule<object, T>>,
): LazyCommand {
  return {
    load: load as LazyCommand['load'],
    command,
    describe,
    builder: (async (yargs: Argv) => {
      const { builder } = await load();
      return typeof builder === 'function' ? builder(yargs) : yargs.options(builder ?? {});
    }) as never,
    handler: async (args) => (await load()).handler(args as never),
  };
}
