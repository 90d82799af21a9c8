/** Devices without a driver in words, and what the seller can do about them. */
import type { AgentState, Problem } from '../agent/state.ts';
import type { DriverlessDevice } from '../hardware/driverless.ts';

const WORDS: Record<DriverlessDevice['what'], string> = {
  wired: 'wired network card',
  wireless: 'wireless network card',
  network: 'network device',
  'perhaps-network': 'USB device, perhaps a network adapter',
};
/** A machine with more has its first ones named, and the others counted. */
const MOST_NAMED = 2;

/** What a seller may care for: a USB device of unknown kind only where no card was found. */
export function shownDriverless({ driverless, network }: AgentState): readonly DriverlessDevice[] {
  return network.kind === 'no-card' ? driverless : driverless.filter(({ what }) => what !== 'perhaps-network');
}

export function driverlessWords(devices: readonly DriverlessDevice[]): string {
  const named = devices.slice(0, MOST_NAMED).map(({ what, bus, id, slot }) => `${WORDS[what]} ${id} (${bus} ${slot})`);
  const more = devices.length - named.length;
  return more > 0 ? `${named.join(', ')} and ${more} more` : named.join(', ');
}

export const LISTED_ADAPTER = 'a Wi-Fi adapter that hardware.html, published with this image, lists';

/** @param wifi whether this image drives Wi-Fi cards at all */
export function driverlessProblem(devices: readonly DriverlessDevice[], wifi: boolean): Problem {
  const onlyWireless = devices.every(({ what }) => what === 'wireless');
  return {
    code: 'NETWORK_DRIVER_MISSING',
    message: `this image has no driver for: ${driverlessWords(devices)}`,
    nextStep: onlyWireless
      ? `use a cable or a wired USB adapter, or ${wifi ? LISTED_ADAPTER : 'the wifi image'}`
      : 'plug in another card or USB adapter; hardware.html, published with this image, lists those that work',
  };
}
