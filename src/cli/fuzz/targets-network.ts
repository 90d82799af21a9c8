/** What comes over the network to the sell client: its broker's answers, what a DHCP server and an access point made others say. */

import { ActivationAnswer, Challenge, EnrolmentChallenge, EvidenceAnswer } from '../../protocol/messages.ts';
import { PairingAnswer, PairingStatus } from '../../protocol/pairing-messages.ts';
import { PendingAnswer } from '../../protocol/relay-messages.ts';
import { toProblem } from '../../sell-client/agent/problem.ts';
import { type AgentEvent, initialState, next } from '../../sell-client/agent/state.ts';
import { checked, refusal } from '../../sell-client/broker/broker-answers.ts';
import { parseNameServers } from '../../sell-client/network/dhcp.ts';
import { type WifiProgress, wifiProgress } from '../../sell-client/network/wifi-events.ts';
import { renderScreen } from '../../sell-client/screen/render.ts';
import { BrokenRule, isRefusal, requirePrintable, type Target } from './target.ts';

const text = (content: string) => new Uint8Array(Buffer.from(content));
const json = (value: unknown) => text(JSON.stringify(value));
const ANSWERS = [ActivationAnswer, Challenge, EnrolmentChallenge, EvidenceAnswer, PendingAnswer, PairingStatus];

export function networkTargets(): readonly Target[] {
  return [
    { name: 'broker-answer', shape: 'json', seeds: ANSWER_SEEDS, maxBytes: 262_144, baseMs: 20, run: readAnswer },
    { name: 'broker-refusal', shape: 'json', seeds: REFUSAL_SEEDS, maxBytes: 262_144, baseMs: 20, run: showRefusal },
    { name: 'dhcp-lease', shape: 'bytes', seeds: LEASE_SEEDS, maxBytes: 20_000, baseMs: 5, run: readLease },
    { name: 'wifi-log', shape: 'bytes', seeds: WIFI_SEEDS, maxBytes: 20_000, baseMs: 5, run: readWifiLog },
  ];
}

/** All forms are tried on each; a code to pair with is shown. */
function readAnswer(input: Uint8Array): void {
  const reply = { status: 200, text: Buffer.from(input).toString() };
  const fits = ANSWERS.filter((schema) => {
    try {
      checked(schema, reply);
      return true;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return false;
    }
  });
  if (fits.length > 0) return;
  const answer = checked(PairingAnswer, reply);
  if (answer.status !== 'waiting') return;
  const { userCode, verificationUri, verificationUriComplete } = answer;
  show({
    type: 'pairing',
    pairing: { kind: 'waiting', userCode, verificationUri, verificationUriComplete, expiresAtMs: 900_000 },
  });
}

/** As the seller reads it: the codes of brokers are theirs to choose. */
function showRefusal(input: Uint8Array): void {
  const problem = toProblem(refusal({ status: 403, text: Buffer.from(input).toString() }));
  show({ type: 'refused', machineId: 'ab'.repeat(32), problem, atMs: 100_000 });
}

function show(...events: readonly AgentEvent[]): void {
  const rows = renderScreen(events.reduce(next, initialState), { title: 'cpushare-seller', nowMs: 200_000 });
  requirePrintable(rows.map((row) => row.text).join('\n'));
  if (rows.length !== 25 || rows.some((row) => row.text.length !== 80)) throw new BrokenRule('not 80 by 25 cells');
}

function readLease(input: Uint8Array): void {
  const servers = parseNameServers(Buffer.from(input).toString());
  if (!servers.every((server) => /^[0-9a-fA-F:.]+$/.test(server)))
    throw new BrokenRule('a name server with a line of its own');
}

function readWifiLog(input: Uint8Array): void {
  let now: WifiProgress = { kind: 'searching' };
  for (const line of Buffer.from(input).toString().split('\n')) {
    now = wifiProgress(line, now.kind) ?? now;
    if (now.kind === 'refused') requirePrintable(now.detail);
  }
}

const hex = (bytes: number) => 'ab'.repeat(bytes);
const expiresAt = '2026-11-21T12:00:00Z';
const ANSWER_SEEDS = [
  json({ machineId: hex(32) }),
  json({ enrolmentId: hex(16), credentialBlob: 'AAAA', encryptedSecret: 'AAAA', expiresAt }),
  json({
    challengeId: hex(16),
    challenge: hex(32),
    brokerId: hex(32),
    pcrSelection: { bank: 'sha256', pcrs: [0, 4, 7] },
    expiresAt,
  }),
  json({ status: 'refused', checks: [{ name: 'secure-boot', status: 'failed' }], nextAttestationMs: 60_000 }),
  json({ status: 'paired', account: 'anna', lasting: true }),
  json({
    status: 'waiting',
    deviceCode: hex(32),
    userCode: 'WDJB-MJHT',
    verificationUri: 'https://broker.example:42007/pair',
    verificationUriComplete: 'HTTPS://BROKER.EXAMPLE:42007/PAIR/WDJB-MJHT',
    expiresInSeconds: 900,
    intervalSeconds: 5,
  }),
];
const REFUSAL_SEEDS = [
  json({ code: 'MACHINE_UNKNOWN', message: 'no such machine', nextStep: 'enrol it again' }),
  json({ code: 'MACHINE_UNKNOWN', message: 'a'.repeat(3000) }),
];
const LEASE_SEEDS = [
  text("ip_address=192.168.1.2\ndomain_name_servers='192.168.1.1 9.9.9.9'\nnd1_rdnss1_servers=fe80::1\n"),
];
const WIFI_SEEDS = [
  text(
    'event: state, old: disconnected, new: autoconnect_quick\nevent: state, old: autoconnect_quick, new: connecting (auto)\n' +
      '4-Way handshake failed for ifindex: 3, reason: 15\nevent: connect-failed, status: 15\n' +
      'Received Deauthentication event, reason: 2, from_ap: true\nevent: state, old: connecting (auto), new: connected\n',
  ),
];
