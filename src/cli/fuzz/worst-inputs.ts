/** The dearest inputs that are known, each at the largest size that the documents let through, most of them well signed. */
import { nodeAttestCrypto as crypto } from '../../attest/crypto/crypto-node.ts';
import { parseRevocationList } from '../../attest/endorsement/revocation.ts';
import { EventType } from '../../attest/event-log/event-types.ts';
import { extend, initialPcr } from '../../attest/event-log/replay.ts';
import { bootEvents, GOOD_BOOT } from '../../attest/testing/boot-node.ts';
import { ekCertificate, newAuthority } from '../../attest/testing/certificate-authority-node.ts';
import { newKey, writeRevocationList } from '../../attest/testing/certificate-writer-node.ts';
import { commonName, integer } from '../../attest/testing/der-writer.ts';
import { imaEntry, type WrittenEvent, writeEventLog } from '../../attest/testing/event-log-writer.ts';
import { encodeEvidence } from '../../protocol/evidence-document.ts';
import { parseReport } from '../../protocol/report-document.ts';
import { concatBytes, toBase64 } from '../../shared/bytes.ts';
import { newHostileMachine } from './hostile-machine.ts';
import { dbx, gpt, image, repeated } from './made-structures.ts';
import { isRefusal } from './target.ts';

export interface WorstInput {
  /** Lower-case words joined by `_`. */
  readonly name: string;
  readonly bytes: number;
  /** Ends in a verdict or a coded refusal. */
  readonly run: () => void;
}

/** As `EvidenceDocument` bounds them, and the readers. */
const LOG_BYTES = 1_572_864;
const IMA_BYTES = 1_048_576;
const MAX_EVENTS = 19_999;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

export function worstInputs(): readonly WorstInput[] {
  const machine = newHostileMachine();
  const { genuine, judge, quotedOver } = machine;
  /** The events of the good boot with hostile ones behind them, as many as there is room for. */
  const log = (name: string, event: WrittenEvent, most: number): WorstInput => {
    const each = writeEventLog([event], crypto).length - writeEventLog([], crypto).length;
    const count = Math.min(most, Math.floor((LOG_BYTES - genuine.eventLog.length) / each), MAX_EVENTS - 200);
    const more = writeEventLog(
      Array.from({ length: count }, () => event),
      crypto,
    );
    const evidence = quotedOver(concatBytes(genuine.eventLog, more.subarray(writeEventLog([], crypto).length)));
    return { name, bytes: evidence.eventLog.length, run: () => void judge(evidence) };
  };
  const big = (bytes: number, fill = 0): Uint8Array => new Uint8Array(bytes).fill(fill);
  const zeros = concatBytes(genuine.eventLog, big(LOG_BYTES - genuine.eventLog.length - 1), Uint8Array.of(1));
  return [
    log('small_events', { pcr: 9, type: EventType.IPL, data: new Uint8Array() }, MAX_EVENTS),
    log('grub_commands', { pcr: 8, type: EventType.IPL, data: text('grub_cmd: a\0'), measured: text('a') }, MAX_EVENTS),
    log('events_to_align', { pcr: 9, type: EventType.IPL, data: text('x') }, 380),
    signatureLists(machine),
    log('partitions', { pcr: 5, type: EventType.EFI_GPT_EVENT, data: gpt(10_000) }, 1),
    log('device_path_nodes', { pcr: 4, type: EventType.EFI_BOOT_SERVICES_APPLICATION, data: image(350_000) }, 1),
    log(
      'one_long_text',
      { pcr: 8, type: EventType.IPL, data: concatBytes(text('grub_cmd: '), big(1_400_000, 0x61)) },
      1,
    ),
    { name: 'zeros', bytes: zeros.length, run: () => void judge({ ...genuine, eventLog: zeros }) },
    imaLog(machine),
    certificates(),
    revocationList(),
    document('nested_json', text('['.repeat(4_000_000))),
    document('random_text', text('{"format":"cpushare-report","a":"'.padEnd(5_000_000, 'é'))),
    document(
      'largest_report',
      text(JSON.stringify({ evidence: { ...encodeEvidence(genuine), eventLog: toBase64(big(LOG_BYTES)) } })),
    ),
  ];
}

/** Entries of the smallest size, and a register that only all of them together lead to. */
function imaLog({ genuine, judge, quotedOver }: ReturnType<typeof newHostileMachine>): WorstInput {
  const entry = imaEntry(new Uint8Array(32), 'x', crypto);
  const count = Math.min(MAX_EVENTS, Math.floor(IMA_BYTES / entry.bytes.length));
  let register = initialPcr(10, 'sha256');
  for (let index = 0; index < count; index += 1) register = extend(register, entry.extended, 'sha256', crypto);
  const imaLog = repeated(entry.bytes, count);
  const evidence = { ...quotedOver(genuine.eventLog, register), imaLog };
  return { name: 'ima_entries', bytes: imaLog.length, run: () => void judge(evidence) };
}

/** In the place where firmware measures its own: what is read of it decides on Secure Boot. */
function signatureLists({ judge, quotedOver }: ReturnType<typeof newHostileMachine>): WorstInput {
  const events = bootEvents(GOOD_BOOT);
  const at = events.findIndex(
    ({ pcr, data }) => pcr === 7 && data[32] === 0x64 && data[34] === 0x62 && data[36] === 0x78,
  );
  const eventLog = writeEventLog(
    events.with(at, { pcr: 7, type: EventType.EFI_VARIABLE_DRIVER_CONFIG, data: dbx(1_400_000) }),
    crypto,
  );
  const evidence = quotedOver(eventLog);
  return { name: 'signature_lists', bytes: eventLog.length, run: () => void judge(evidence) };
}

/** Authorities of one name, none of them the trusted one: each could be the issuer of each. */
function certificates(): WorstInput {
  const authorities = Array.from({ length: 8 }, () => newAuthority('CA'));
  const [signer = newAuthority('CA'), ...others] = authorities;
  const { genuine, judge } = newHostileMachine(
    {
      authority: signer,
      certificates: (ek) => [
        ekCertificate(signer, ek, { manufacturer: 'id:49465800', model: 'x' }),
        ...others.map(({ certificate }) => certificate),
      ],
    },
    newAuthority('CA').certificate,
  );
  const bytes = genuine.ekCertificates.reduce((sum, each) => sum + each.length, 0);
  return { name: 'certificates_of_one_name', bytes, run: () => void judge(genuine) };
}

function revocationList(): WorstInput {
  const revoked = Array.from({ length: 20_000 }, (_, index) =>
    integer(1, index >> 16, (index >> 8) & 0xff, index & 0xff),
  );
  const list = writeRevocationList({ signer: { key: newKey(), name: commonName('CA') }, revoked });
  return { name: 'revocation_list', bytes: list.length, run: refusing(() => parseRevocationList(list)) };
}

const document = (name: string, json: Uint8Array): WorstInput => {
  return { name, bytes: json.length, run: refusing(() => parseReport(json)) };
};

function refusing(run: () => unknown): () => void {
  return () => {
    try {
      run();
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  };
}
