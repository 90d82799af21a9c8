/** What one boot's conversations with its broker have in common. */
import type { MachineClaims } from '../../attest/evidence.ts';
import type { BrokerClient } from '../broker/broker-client.ts';
import type { SessionKey } from './session-key.ts';

export interface Session {
  readonly broker: BrokerClient;
  /** The pin: who we believe to talk to. Hex. */
  readonly brokerId: string;
  readonly key: SessionKey;
  /** As measured; empty when there was none. */
  readonly configuration: Uint8Array;
  readLogs(): Promise<{ readonly eventLog: Uint8Array; readonly imaLog: Uint8Array }>;
  readClaims(challenge: string): Promise<MachineClaims>;
}
