/** The page that asks the seller to claim the machine: the code in large letters, and the same link as a QR code. */
import { type AgentState, machineIdOf, type PairingState } from '../agent/state.ts';
import { BIG_ROWS, bigText, MEDIUM_ROWS, mediumText } from './big-letters.ts';
import { qrCells } from './qr.ts';
import { COLUMNS, duration, type Look, overlaid, ROWS, type Row, row, wrapped } from './rows.ts';

const TOP = BIG_ROWS + 1;
const QR_ROOM = { columns: 37, rows: ROWS - TOP };
const LEFT_COLUMNS = COLUMNS - QR_ROOM.columns - 1;

type Waiting = PairingState & { kind: 'waiting' };

export function pairingPage(state: AgentState, pairing: Waiting, nowMs: number): Row[] {
  const rows = Array.from({ length: ROWS }, () => row(''));
  put(rows, 0, 1, bigText('PAIR ME', COLUMNS - 2), 'y');
  const code = qrCells(pairing.verificationUriComplete, QR_ROOM);
  if (code !== null) put(rows, TOP, COLUMNS - (code[0]?.length ?? 0), code, 'w');
  const [head = '', tail = ''] = pairing.userCode.split('-');
  put(rows, TOP, 2, mediumText(`${head}-`), 'w');
  put(rows, TOP + MEDIUM_ROWS, 2, mediumText(tail), 'w');
  put(rows, TOP + 2 * MEDIUM_ROWS, 1, instructions(state, pairing, nowMs, code !== null), ' ');
  return rows;
}

function instructions(state: AgentState, pairing: Waiting, nowMs: number, scannable: boolean): string[] {
  const lines = [
    `What to do: open ${pairing.verificationUri} on a phone or computer and type ${pairing.userCode}` +
      `${scannable ? ', or scan the square' : ''}.`,
    `New code in ${duration(pairing.expiresAtMs - nowMs)}. Up ${duration(nowMs)}.`,
    state.tpm.kind === 'present' ? 'Asked once: the TPM keeps it.' : 'No TPM here: asked again at each start.',
    machine(state),
    network(state),
  ];
  return lines.flatMap((line) => wrapped(line, LEFT_COLUMNS - 2)).slice(0, ROWS - TOP - 2 * MEDIUM_ROWS);
}

/** The same first letters of the fingerprint as on the broker's page. */
function machine(state: AgentState): string {
  const attestation = state.attestation.kind === 'accepted' ? 'attested' : state.attestation.kind;
  const id = machineIdOf(state);
  return id === null ? `Machine is ${attestation}.` : `Machine ${id.slice(0, 8)}, ${attestation}.`;
}

function network(state: AgentState): string {
  const address = state.network.kind === 'up' ? (state.network.addresses[0]?.address ?? '') : 'no network';
  return `${address}, ${state.accelerator?.name ?? 'accelerator not known yet'}`;
}

function put(rows: Row[], top: number, column: number, lines: readonly string[], look: Look): void {
  for (const [index, line] of lines.entries()) {
    const under = rows[top + index];
    if (under !== undefined) rows[top + index] = overlaid(under, column, line, look);
  }
}
