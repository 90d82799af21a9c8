/** What the machine says of itself, in words that terminal and page share. */
import type { ConfigurationSource, MachineClaims } from '../evidence.ts';

const SOURCES: Readonly<Record<ConfigurationSource, string>> = {
  volume: 'a volume labelled CPUSHARE',
  smbios: 'an SMBIOS OEM string',
  guestinfo: "VMware's guestinfo",
  image: 'the image itself',
};

/** Nothing where the client did not say. */
export function configurationWords({ configurationSource }: MachineClaims): string[] {
  return configurationSource === undefined ? [] : [`configuration from ${SOURCES[configurationSource]}`];
}
