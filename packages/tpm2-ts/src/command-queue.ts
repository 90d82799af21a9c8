/** What every transport needs: a TPM does one command at a time, and after a broken exchange the line is dead. */
import type { Tpm } from './command.ts';
import { TpmTransportError } from './errors.ts';

/** The largest response a TPM of the PC Client profile gives. */
export const MAX_RESPONSE_BYTES = 4096;

/**
 * Makes a `Tpm` of one unguarded exchange. Concurrent calls wait for each other; after a failed exchange nobody can know
 * which answer comes next, so the transport closes and every later call fails.
 */
export function queued(
  where: string,
  exchange: (command: Uint8Array) => Promise<Uint8Array>,
  release: () => Promise<void>,
): Tpm {
  let last: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= release();
    return closing;
  };
  return {
    send: (command) => {
      const answer = last.then(async () => {
        if (closing !== undefined) throw new TpmTransportError('CLOSED', `the connection to ${where} is closed`);
        try {
          return await exchange(command);
        } catch (error) {
          await close().catch(() => {});
          throw error;
        }
      });
      last = answer.catch(() => {});
      return answer;
    },
    close: async () => {
      await last;
      await close();
    },
  };
}
