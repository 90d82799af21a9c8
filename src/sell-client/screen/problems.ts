/** What keeps the machine from earning and what the seller can do, the most basic first: without a network nothing else matters. */
import type { AgentState, Problem } from '../agent/state.ts';
import { driverlessProblem, LISTED_ADAPTER, shownDriverless } from './driverless.ts';

export function problems(state: AgentState): Problem[] {
  const found: Problem[] = [];
  // Who asks for Wi-Fi is not told to plug in a cable, but what keeps the Wi-Fi from working.
  const { wifi } = state;
  if (wifi.kind === 'failed') found.push(wifi.problem);
  const inImage = wifi.kind !== 'unused';
  const wanted = inImage && wifi.kind !== 'unconfigured';
  const driverless = shownDriverless(state);
  if (state.network.kind === 'no-card' && driverless.length > 0) found.push(driverlessProblem(driverless, inImage));
  else if (state.network.kind === 'no-card' && !wanted) {
    const nextStep = inImage
      ? `plug in a wired card, or ${LISTED_ADAPTER}`
      : 'plug in a wired card; or write the wifi image, which knows Wi-Fi cards too';
    found.push(problem('NETWORK_NO_CARD', 'no network card was found that this image can drive', nextStep));
  }
  // The wired image has no such card. A configuration that may still come could ask for it.
  const radio = state.network.kind === 'no-link' && state.network.cards.some((card) => card.startsWith('wl'));
  const mayAsk = radio && state.configuration.kind === 'searching';
  if (state.network.kind === 'no-link' && !wanted && !mayAsk) {
    const nextStep = radio ? withRadio(state) : 'plug in a cable to your router';
    found.push(problem('NETWORK_NO_LINK', 'no network cable is connected', nextStep));
  }
  if (state.network.kind === 'no-address') {
    found.push(problem('NETWORK_NO_ADDRESS', 'the network gave no address', 'check that DHCP is on in your router'));
  }
  if (state.configuration.kind === 'missing') {
    found.push(
      problem(
        'CONFIGURATION_MISSING',
        'no volume labelled CPUSHARE was found, and no configuration in SMBIOS',
        'plug in a second stick labelled CPUSHARE with the file cpushare.json; it names the broker',
      ),
    );
  }
  if (state.configuration.kind === 'rejected') found.push(state.configuration.problem);
  if (state.attestation.kind === 'refused' || state.attestation.kind === 'unattested')
    found.push(state.attestation.problem);
  else if (state.tpm.kind === 'failed') found.push(state.tpm.problem);
  // Last: it keeps the machine from nothing.
  if (state.lastPanic !== null) {
    const nextStep = 'nothing if it was once; else test the memory, and report these words to us';
    found.push(problem('KERNEL_PANIC', `the last run ended in a kernel panic: ${state.lastPanic}`, nextStep));
  }
  return found;
}

/** A configuration is taken once; until then it is looked for. */
function withRadio({ configuration }: AgentState): string {
  if (configuration.kind === 'loaded')
    return 'plug in a cable; or name your Wi-Fi network in cpushare.json, and restart';
  return 'plug in a cable; or a stick labelled CPUSHARE with a cpushare.json that names your Wi-Fi network';
}

function problem(code: string, message: string, nextStep: string): Problem {
  return { code, message, nextStep };
}
