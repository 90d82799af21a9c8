/** A swtpm with a storage key, sessions salted to it, and objects that hold a secret under it. */
import type { AuthSession } from '../auth-session.ts';
import type { Authorization, SessionUse } from '../authorization.ts';
import type { Tpm } from '../command.ts';
import { flushContext } from '../commands-context.ts';
import { create, createPrimary, load } from '../commands-keys.ts';
import { getCapability } from '../commands-state.ts';
import { RH } from '../constants.ts';
import type { TpmtPublic } from '../public-area.ts';
import type { SessionRequest } from '../session.ts';
import { EK_TEMPLATES } from '../templates.ts';
import { startTestTpm } from './swtpm.ts';
import { hex } from './vectors.ts';

export const SECRET = hex('5ec3e75ec3e75ec3e75ec3e75ec3e75ec3e75ec3e75ec3e75ec3e75ec3e75ec3');
export const PASSWORD = new TextEncoder().encode('correct horse battery staple');
export const EMPTY = new Uint8Array();

export interface Sealed {
  readonly handle: number;
  readonly name: Uint8Array;
}
export interface SealRequest {
  readonly on?: Tpm;
  readonly password?: Uint8Array;
  readonly policy?: Uint8Array;
  readonly by?: Authorization;
}

export interface SessionBench {
  readonly tpm: Tpm;
  /** A storage key with an empty password, to salt sessions to and to hang objects under. */
  readonly storage: { readonly handle: number; readonly publicArea: Uint8Array; readonly name: Uint8Array };
  salted(change?: Partial<SessionRequest>): SessionRequest;
  /** Runs `work` with a loaded object that holds `SECRET`. */
  withSealed<T>(args: SealRequest, work: (object: Sealed) => Promise<T>): Promise<T>;
  openSessions(): Promise<readonly number[]>;
  stop(): Promise<void>;
}

export const use = (session: AuthSession, change: Partial<SessionUse> = {}): SessionUse => ({
  kind: 'session',
  session,
  ...change,
});

export async function startSessionBench(): Promise<SessionBench> {
  const machine = await startTestTpm('unix');
  const tpm = await machine.open();
  const storage = await createPrimary(tpm, { hierarchy: RH.owner, template: EK_TEMPLATES.eccHigh });
  return {
    tpm,
    storage,
    salted: (change = {}) => ({ kind: 'hmac', saltTo: storage, ...change }),
    withSealed: async ({ on = tpm, password = EMPTY, policy, by }, work) => {
      const made = await create(on, {
        parent: storage.handle,
        parentName: storage.name,
        template: sealedTemplate(policy),
        sensitive: { userAuth: password, data: SECRET },
        ...(by === undefined ? {} : { authorization: by }),
      });
      const object = await load(on, { parent: storage.handle, ...made });
      try {
        return await work(object);
      } finally {
        await flushContext(tpm, object.handle);
      }
    },
    openSessions: async () => {
      const { data } = await getCapability(tpm, { capability: 'handles', property: 0x0200_0000 });
      return data.handles;
    },
    stop: async () => {
      await tpm.close();
      await machine.stop();
    },
  };
}

/** Data sealed under a policy, or without one under a password. */
function sealedTemplate(policy: Uint8Array | undefined): TpmtPublic {
  return {
    type: 'keyedHash',
    nameAlg: 'sha256',
    attributes: {
      ...EK_TEMPLATES.ecc.attributes,
      restricted: false,
      decrypt: false,
      sensitiveDataOrigin: false,
      adminWithPolicy: false,
      userWithAuth: policy === undefined,
      noDa: true,
    },
    authPolicy: policy ?? EMPTY,
    scheme: { algorithm: 'null' },
    unique: EMPTY,
  };
}
