/**
 * What a machine signs when it asks the broker for something in its own name. The session key came with the activation
 * secret, so this signature says: the machine that enrolled last under this id. One meaning each: the purpose, the broker,
 * the machine and the thing it is about are all inside.
 */
import { concatBytes } from '../shared/bytes.ts';

const LABEL = new TextEncoder().encode('cpushare-live/machine-request\0');

export interface MachineRequest {
  /**
   * challenge: a challenge for me. pending: what others want of me. answer: my answer to `subject`. pair: a code for me.
   * pair-poll: whether somebody has typed the code that belongs to the device code `subject`.
   */
  readonly purpose: 'challenge' | 'pending' | 'answer' | 'pair' | 'pair-poll';
  /** Hex, 32 bytes: the pin, so that what was said to one broker is nothing to another. */
  readonly brokerId: string;
  /** Hex, 32 bytes. */
  readonly machineId: string;
  /** The verification's id, the device code; empty for the other purposes. */
  readonly subject: string;
}

/** label NUL || purpose, broker, machine, subject as ASCII, each with its u16 length, big-endian. */
export function machineRequestInput({ purpose, brokerId, machineId, subject }: MachineRequest): Uint8Array {
  const fields = [purpose, brokerId, machineId, subject].map((field) => new TextEncoder().encode(field));
  return concatBytes(
    LABEL,
    ...fields.flatMap((field) => [Uint8Array.of(field.length >> 8, field.length & 0xff), field]),
  );
}
