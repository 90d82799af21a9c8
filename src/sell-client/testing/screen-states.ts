/** One machine in each state that the screen has a word for, by name: what the golden screens and their pictures show. */
import { toProblem } from '../agent/problem.ts';
import { type AgentEvent, type AgentState, initialState, type NetworkState, next } from '../agent/state.ts';
import {
  clientFailed,
  keyRefused,
  noCard,
  notFound,
  notInImage,
  refused,
  type WifiError,
} from '../network/wifi-errors.ts';

export const TITLE = 'cpushare-seller 0.1.0';
export const NOW_MS = 200_000;
const machineId = 'ab'.repeat(32);

const platform: AgentEvent = { type: 'platform', bootMode: 'uefi', secureBoot: true };
const network: AgentEvent = {
  type: 'network',
  network: { kind: 'up', addresses: [{ interface: 'eth0', address: '192.168.1.23' }] },
};
const tpm: AgentEvent = { type: 'tpm', tpm: { kind: 'present', manufacturer: 'IFX', keys: 'ECC P-256' } };
const noTpm: AgentEvent = { type: 'tpm', tpm: { kind: 'absent' } };
const configuration: AgentEvent = {
  type: 'configuration',
  configuration: { kind: 'loaded', broker: 'https://broker.example:42007', source: 'sda' },
};
const kvm: AgentEvent = {
  type: 'accelerator',
  result: { name: 'kvm', reason: 'ran a test guest', tried: [{ name: 'kvm', ran: true, reason: 'ran a test guest' }] },
};
const emulated: AgentEvent = {
  type: 'accelerator',
  result: { name: 'tcg', reason: 'the processor has neither VT-x nor AMD-V switched on', tried: [] },
};
const accepted: AgentEvent = { type: 'accepted', machineId, atMs: 60_000, nextAttestationMs: 600_000 };
const unattested: AgentEvent = {
  type: 'unattested',
  problem: {
    code: 'TPM_ABSENT',
    message: 'this machine has no TPM 2.0 that is switched on',
    nextStep: 'turn on TPM, fTPM, PTT or Security Device in the firmware setup, then start again',
  },
};
const code: AgentEvent = {
  type: 'pairing',
  pairing: {
    kind: 'waiting',
    userCode: 'WDJB-MJHT',
    verificationUri: 'https://broker.example:42007/pair',
    verificationUriComplete: 'HTTPS://BROKER.EXAMPLE:42007/PAIR/WDJB-MJHT',
    expiresAtMs: 900_000,
  },
};
const paired = (lasting: boolean): AgentEvent => ({
  type: 'pairing',
  pairing: { kind: 'paired', account: 'anna', lasting },
});
const ready = [platform, network, tpm, configuration, kvm];

const reduced = (...events: AgentEvent[]): AgentState => events.reduce(next, initialState);

const radioOnly: AgentEvent = { type: 'network', network: { kind: 'no-link', cards: ['wlan0'] } };
const wifiFailed = (error: WifiError, network: NetworkState = { kind: 'no-link', cards: ['wlan0'] }): AgentState => {
  const failed: AgentEvent = { type: 'wifi', wifi: { kind: 'failed', problem: toProblem(error) } };
  return reduced(platform, tpm, { type: 'network', network }, configuration, failed);
};

export const SCREEN_STATES: Readonly<Record<string, AgentState>> = {
  booting: reduced(platform),
  verifying: reduced(...ready, { type: 'enrolling' }, { type: 'enrolled', machineId }),
  'offline-no-cable': reduced(platform, tpm, { type: 'network', network: { kind: 'no-link', cards: ['eth0'] } }),
  'offline-no-driver': reduced(
    platform,
    tpm,
    { type: 'network', network: { kind: 'no-card' } },
    {
      type: 'driverless',
      devices: [
        { what: 'wired', bus: 'PCI', id: '10ec:8029', slot: '0000:00:03.0' },
        { what: 'wireless', bus: 'PCI', id: '8086:2723', slot: '0000:03:00.0' },
      ],
    },
  ),
  'waiting-second-card-no-driver': reduced(...ready, accepted, paired(true), {
    type: 'driverless',
    devices: [{ what: 'wireless', bus: 'PCI', id: '8086:2723', slot: '0000:03:00.0' }],
  }),
  'wifi-image-without-configuration': reduced(
    platform,
    tpm,
    radioOnly,
    { type: 'wifi', wifi: { kind: 'unconfigured' } },
    { type: 'configuration', configuration: { kind: 'missing' } },
  ),
  'wifi-image-without-card': reduced(
    platform,
    tpm,
    { type: 'network', network: { kind: 'no-card' } },
    { type: 'wifi', wifi: { kind: 'unconfigured' } },
  ),
  'wifi-searching': reduced(platform, tpm, radioOnly, configuration, { type: 'wifi', wifi: { kind: 'searching' } }),
  'wifi-connecting': reduced(platform, tpm, radioOnly, configuration, { type: 'wifi', wifi: { kind: 'connecting' } }),
  'wifi-not-in-image': wifiFailed(notInImage(), { kind: 'no-link', cards: ['eth0'] }),
  'wifi-no-card': wifiFailed(noCard(), { kind: 'no-card' }),
  'wifi-network-not-found': wifiFailed(notFound()),
  'wifi-key-refused': wifiFailed(keyRefused()),
  'wifi-refused': wifiFailed(refused('status 17 of IEEE 802.11')),
  'wifi-client-failed': wifiFailed(clientFailed('the Wi-Fi client', 'D-Bus disconnected, quitting...')),
  'offline-broker': reduced(...ready, {
    type: 'failed',
    retryAtMs: 216_000,
    problem: {
      code: 'BROKER_UNREACHABLE',
      message: 'broker.example:42007 does not answer',
      nextStep: 'allow outgoing TCP connections to port 42007 in your router',
    },
  }),
  'set-up': reduced(platform, network, tpm, kvm, { type: 'configuration', configuration: { kind: 'missing' } }),
  'error-configuration': reduced(platform, network, tpm, kvm, {
    type: 'configuration',
    configuration: {
      kind: 'rejected',
      problem: {
        code: 'CONFIGURATION_INVALID',
        message: 'cpushare.json: the key "brokerPin" is missing',
        nextStep:
          'correct the file, then restart; it must look like {"broker":"https://HOST:42007","brokerPin":"64 hex digits"}',
      },
    },
  }),
  'pair-me': reduced(...ready, accepted, code),
  'pair-me-no-tpm': reduced(platform, network, noTpm, configuration, emulated, unattested, code),
  'pair-me-refused-by-a-person': reduced(...ready, accepted, {
    type: 'pairing',
    pairing: { kind: 'denied', nextAtMs: 260_000 },
  }),
  waiting: reduced(...ready, accepted, paired(true)),
  'waiting-after-a-panic': reduced(...ready, accepted, paired(true), {
    type: 'last-panic',
    reason: 'Fatal exception in interrupt (general protection fault, maybe for address 0xffff8881)',
  }),
  'waiting-emulated': reduced(...ready, emulated, accepted, paired(true), { type: 'check-begun' }),
  'no-tpm': reduced(platform, network, noTpm, configuration, kvm, unattested, paired(false)),
  refused: reduced(...ready, paired(true), {
    type: 'refused',
    machineId,
    atMs: 60_000,
    problem: {
      code: 'INITRD_DIFFERS',
      message: 'The initrd differs from the reference values: expected 61e33f58d6e98a30…, got 9b7a1de86fb4ce5b…',
      nextStep: 'Write the image to the medium again; if it stays, use an image that the broker accepts.',
    },
  }),
  'tpm-locked-out': reduced(platform, network, configuration, kvm, {
    type: 'tpm',
    tpm: {
      kind: 'failed',
      problem: {
        code: 'TPM_LOCKED_OUT',
        message: 'the TPM refuses TPM2_ActivateCredential after 33 failures',
        nextStep: 'leave the machine on for 20 minutes: it recovers by itself; do not restart it in the meantime',
      },
    },
  }),
};
