/**
 * What one machine hands over to be judged: RFC 9334 Evidence. Everything in here comes from the Attester and is
 * untrusted until `appraise` has bound it to a signature or a digest; holding an `Evidence` proves nothing.
 */
export interface Evidence {
  /** TPMS_ATTEST as signed, Part 2 §10.12.12. */
  readonly quote: Uint8Array;
  /** TPMT_SIGNATURE over `quote` by the AK, Part 2 §11.3.4. */
  readonly signature: Uint8Array;
  /** PCR values the Attester read, per bank name (`sha256`) and index; unproven until they hash to the quote's pcrDigest. */
  readonly pcrs: { readonly [bank: string]: { readonly [index: number]: Uint8Array } };
  /** binary_bios_measurements: the firmware's event log, crypto-agile format (TCG PC Client PFP §10). Empty on legacy boots without one. */
  readonly eventLog: Uint8Array;
  /** binary_runtime_measurements of IMA (PCR 10); empty where the kernel has none. Read after the quote: it may run ahead of it. */
  readonly imaLog: Uint8Array;
  /** The seller's configuration volume as read, measured into CONFIGURATION_PCR before use; empty when there was none. */
  readonly configuration: Uint8Array;
  /** TPMT_PUBLIC of the AK, Part 2 §12.2.4. */
  readonly akPublic: Uint8Array;
  /** TPMT_PUBLIC of the EK. */
  readonly ekPublic: Uint8Array;
  /** EK certificate first, then intermediates found in NV; X.509 DER each. Empty where the TPM holds none. */
  readonly ekCertificates: readonly Uint8Array[];
  /** SubjectPublicKeyInfo DER of the key that speaks for this boot of the machine. */
  readonly sessionPublicKey: Uint8Array;
  /** UTF-8 JSON of `MachineClaims`, exactly the bytes that the quote was made over. */
  readonly claims: Uint8Array;
}

/** What the machine says of itself. Believed only as far as the image that says it is attested. */
export interface MachineClaims {
  readonly clientVersion: string;
  /** Hex challenge these claims belong to: ties them to one quote. */
  readonly challenge: string;
  readonly accelerator: { readonly name: 'kvm' | 'kqemu' | 'tcg' | 'unknown'; readonly reason: string };
  readonly cpuModel: string;
  readonly memoryBytes: number;
  readonly secureBoot: boolean | null;
  readonly bootMode: 'uefi' | 'bios';
  /** Where the configuration in CONFIGURATION_PCR was found; earlier clients do not say. */
  readonly configurationSource?: ConfigurationSource;
  /** From kernel start to when these claims were made, milliseconds. */
  readonly uptimeMs: number;
}

/** A volume labelled CPUSHARE, an SMBIOS OEM string, VMware's guestinfo, or the image itself. */
export const CONFIGURATION_SOURCES = ['volume', 'smbios', 'guestinfo', 'image'] as const;
export type ConfigurationSource = (typeof CONFIGURATION_SOURCES)[number];

/** TPM class as a buyer must see it; never inferred upwards. */
export type TpmClass = 'hardware' | 'firmware' | 'cloud' | 'software' | 'unknown';

/** The PCR our own user space extends with SHA-256 of the configuration volume, once per boot, before it is used. */
export const CONFIGURATION_PCR = 12;

/** The registers a challenge asks for: all static ones, so that nothing can hide outside the quote. Bank sha256. */
export const QUOTED_PCRS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
