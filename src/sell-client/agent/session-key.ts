/** The key that speaks for this run of the client: made in memory, never stored, bound to the machine by each quote. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { type MachineRequest, machineRequestInput } from '../../protocol/machine-request.ts';

export interface SessionKey {
  /** SubjectPublicKeyInfo DER, P-256. */
  readonly publicKey: Uint8Array;
  /** 64 bytes, IEEE P1363. */
  signRequest(request: MachineRequest): Uint8Array;
}

export function createSessionKey(): SessionKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signed = (data: Uint8Array) =>
    new Uint8Array(sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
  return {
    publicKey: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
    signRequest: (request) => signed(machineRequestInput(request)),
  };
}
