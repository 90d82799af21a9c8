/** The machine's TPM, or why there is none: its drivers are built in, those on odd buses come with the hardware scan. */
import { access } from 'node:fs/promises';
import type { Tpm } from 'tpm2-ts/command';
import { openTpmDevice } from 'tpm2-ts/transport-device';
import { CodedError } from '../../shared/errors.ts';

export class TpmAbsentError extends CodedError<'TPM_ABSENT'> {}

const ATTEMPTS = 10;
const PAUSE_MS = 300;

/** @throws TpmAbsentError after a few looks; TpmTransportError when it is there and cannot be opened */
export async function findTpm(path: string, pause: (ms: number) => Promise<void>): Promise<Tpm> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    if (await exists(path)) return openTpmDevice(path);
    await pause(PAUSE_MS);
  }
  throw new TpmAbsentError('TPM_ABSENT', 'this machine has no TPM 2.0 that is switched on', {
    nextStep: 'turn on TPM, fTPM, PTT or Security Device in the firmware setup, then start again',
  });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
