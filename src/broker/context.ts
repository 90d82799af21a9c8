/** What the broker's flows work with: made once by `startBroker`, given to every flow. */
import type { Evidence } from '../attest/evidence.ts';
import type { QuoteClock } from '../attest/quote/quote-clock.ts';
import type { Verdict } from '../attest/verdict.ts';
import type { Accounts } from './accounts.ts';
import type { Database } from './db/database.ts';
import type { Doorbells } from './doorbells.ts';
import type { Results } from './ear.ts';
import type { BrokerIdentity } from './identity.ts';
import type { PairingLimits } from './pairing.ts';
import type { UnattestedList } from './unattested.ts';
import type { VerificationLimits } from './verification.ts';

export interface BrokerContext {
  readonly db: Database;
  readonly identity: BrokerIdentity;
  readonly version: string;
  readonly now: () => Date;
  readonly makeCredential: MakeCredential;
  readonly judge: Judge;
  /** The broker's signed word on what it judged. */
  readonly results: Results;
  /** Registers a quote must cover, bank sha256. */
  readonly quotedPcrs: readonly number[];
  readonly unattested: UnattestedList;
  /** Sellers who may claim machines. */
  readonly accounts: Accounts;
  /** Where sellers open the pairing page, https://… without a path's last slash; null: at the address the machine called. */
  readonly pairingBase: string | null;
  /** Wakes the machine that waits for a verifier's challenge. */
  readonly doorbells: Doorbells;
  readonly limits: {
    readonly machines: number;
    readonly outstandingEnrolments: number;
    readonly verifications: VerificationLimits;
    readonly pairings: PairingLimits;
  };
  /** When a machine should come with its next quote. */
  readonly nextAttestationMs: { readonly accepted: number; readonly refused: number };
  /** One line about what happened, for the operator. */
  readonly log: (line: string) => void;
}

/** MakeCredential, Part 1 §24: only the TPM with this EK can open it, and only for the object with this Name. */
export type MakeCredential = (request: {
  readonly ekPublic: Uint8Array;
  readonly akName: Uint8Array;
  readonly secret: Uint8Array;
}) => { readonly credentialBlob: Uint8Array; readonly encryptedSecret: Uint8Array };

/** Appraises evidence against the operator's reference values, trust anchors and policy. */
export type Judge = (
  evidence: Evidence,
  asked: {
    readonly challenge: Uint8Array;
    readonly ekName: string;
    readonly akName: string;
    /** Of the last quote of this TPM that was accepted. */
    readonly lastClock: QuoteClock | null;
    readonly time: Date;
  },
) => Verdict;
