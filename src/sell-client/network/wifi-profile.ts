/** A network as iwd keeps it: one file per network, named after it (iwd.network(5)). */
import type { WifiSettings } from '../../protocol/messages.ts';

export interface WifiProfile {
  readonly fileName: string;
  readonly content: string;
}

export function wifiProfile({ networkName, key, hidden }: WifiSettings): WifiProfile {
  // 64 hex digits cannot be a passphrase, which has 63 characters at most.
  const secret = key.length === 64 ? `PreSharedKey=${key.toLowerCase()}` : `Passphrase=${escaped(key)}`;
  const lines = ['[Security]', secret, ...(hidden === true ? ['[Settings]', 'Hidden=true'] : [])];
  // `.psk` is WPA2- and WPA3-Personal alike: iwd takes the better one that the network offers.
  return { fileName: `${encodedName(networkName)}.psk`, content: `${lines.join('\n')}\n` };
}

function encodedName(networkName: string): string {
  if (/^[A-Za-z0-9_ -]+$/.test(networkName)) return networkName;
  return `=${Buffer.from(networkName, 'utf8').toString('hex')}`;
}

/** Spaces at the ends would be trimmed, and a backslash starts an escape. */
function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replace(/^ +| +$/g, (spaces) => '\\s'.repeat(spaces.length));
}
