/** What the agent asks of the machine's TPM. The adapter over tpm2-ts is `open-machine-tpm.ts`. */

export interface MachineTpm {
  /** For the screen: who made it, and the kind of keys in use. */
  readonly manufacturer: string;
  readonly keys: 'ECC P-256' | 'RSA-2048';
  /** TPMT_PUBLIC of the attestation key: the same at every boot of this machine. */
  readonly akPublic: Uint8Array;
  /** TPMT_PUBLIC of the endorsement key. */
  readonly ekPublic: Uint8Array;
  /** X.509 DER out of NV, the EK's own first; empty where the TPM holds none. */
  readonly ekCertificates: readonly Uint8Array[];
  /** The secret inside a credential made for this EK and AK. */
  activate(credentialBlob: Uint8Array, encryptedSecret: Uint8Array): Promise<Uint8Array>;
  /** A quote and the register values that hash to its digest. */
  quote(pcrs: readonly number[], qualifyingData: Uint8Array): Promise<MachineQuote>;
  close(): Promise<void>;
}

export interface MachineQuote {
  readonly quote: Uint8Array;
  readonly signature: Uint8Array;
  /** Bank sha256, by index. */
  readonly values: { readonly [index: number]: Uint8Array };
}

/** The two commands that measuring needs. */
export interface PcrBank {
  read(index: number): Promise<Uint8Array>;
  extend(index: number, digest: Uint8Array): Promise<void>;
}
