/** Somebody on the bus between processor and TPM: one who listens, and one who changes a byte. */
import type { Tpm } from '../command.ts';

export interface Listener extends Tpm {
  /** Every command and response so far. */
  readonly heard: Uint8Array[];
}

export function listening(tpm: Tpm): Listener {
  const heard: Uint8Array[] = [];
  return {
    heard,
    send: async (command) => {
      const response = await tpm.send(command);
      heard.push(command.slice(), response.slice());
      return response;
    },
    close: () => tpm.close(),
  };
}

/** Whether the bytes went over the bus in the clear. */
export function overheard({ heard }: Listener, bytes: Uint8Array): boolean {
  return heard.some((message) => Buffer.from(message).includes(Buffer.from(bytes)));
}

/** Flips the lowest bit of byte `at` in each response to the command with this code. `flipped` counts. */
export function flippingResponse(tpm: Tpm, code: number, at: number): Tpm & { flipped: number } {
  const flipping = {
    flipped: 0,
    send: async (command: Uint8Array) => {
      const response = (await tpm.send(command)).slice();
      if (new DataView(command.buffer, command.byteOffset).getUint32(6) !== code) return response;
      const byte = response[at];
      if (byte === undefined) return response;
      response[at] = byte ^ 1;
      flipping.flipped += 1;
      return response;
    },
    close: () => tpm.close(),
  };
  return flipping;
}
