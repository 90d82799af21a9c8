/**
 * VMware's RPCI over the backdoor port, as open-vm-tools' lib/message speaks it: open a channel, send a request word by word,
 * receive the reply word by word. Pure: yields the registers of each call and takes what the hypervisor left in them. The
 * answers are the hypervisor's: never trusted to end or to fit.
 */
import { CodedError } from '../../shared/errors.ts';

export class RpciError extends CodedError<'GUESTINFO_FAILED'> {}

/** 32 bits each. The program that makes the call fills in eax, cx and dx: this command of this port and no other. */
export interface Registers {
  readonly ebx: number;
  /** High half: the message's type, in the answer its status. */
  readonly ecx: number;
  /** High half: the channel. */
  readonly edx: number;
  readonly esi: number;
  readonly edi: number;
}

const TYPE = { open: 0, sendSize: 1, sendPayload: 2, receiveSize: 3, receivePayload: 4, receiveStatus: 5, close: 6 };
const STATUS = { success: 0x01, doReceive: 0x02 };
const RPCI_WITH_COOKIE = 0xc9435052; // 'RPCI' and the flag that asks for a cookie

interface Channel {
  readonly id: number;
  readonly esi: number;
  readonly edi: number;
}

type Calls<T> = Generator<Registers, T, Registers>;

/** The reply to one request. @throws RpciError */
export function* askRpci(request: Uint8Array, maxReplyBytes: number): Calls<Uint8Array> {
  const opened = yield* message(TYPE.open, RPCI_WITH_COOKIE, { id: 0, esi: 0, edi: 0 });
  const channel = { id: high(opened.edx), esi: opened.esi, edi: opened.edi };
  yield* message(TYPE.sendSize, request.length, channel);
  for (let at = 0; at < request.length; at += 4) {
    yield* message(TYPE.sendPayload, wordAt(request, at), channel);
  }
  const reply = yield* receive(channel, maxReplyBytes);
  yield* message(TYPE.close, 0, channel);
  return reply;
}

function* receive(channel: Channel, maxBytes: number): Calls<Uint8Array> {
  const announced = yield* message(TYPE.receiveSize, 0, channel);
  if ((high(announced.ecx) & STATUS.doReceive) === 0) throw failed('gave no reply');
  const length = announced.ebx;
  if (length > maxBytes) throw failed(`announced a reply of ${length} bytes, more than ${maxBytes}`);
  const reply = new Uint8Array(length);
  for (let at = 0; at < length; at += 4) {
    const { ebx } = yield* message(TYPE.receivePayload, STATUS.success, channel);
    for (let index = 0; index < 4 && at + index < length; index += 1) reply[at + index] = (ebx >>> (8 * index)) & 0xff;
  }
  yield* message(TYPE.receiveStatus, STATUS.success, channel);
  return reply;
}

function* message(type: number, ebx: number, { id, esi, edi }: Channel): Calls<Registers> {
  const answer = yield { ebx, ecx: (type << 16) >>> 0, edx: (id << 16) >>> 0, esi, edi };
  if ((high(answer.ecx) & STATUS.success) === 0) throw failed(`refused message ${type}, status ${high(answer.ecx)}`);
  return answer;
}

/** Little endian, zeros behind the end. */
function wordAt(bytes: Uint8Array, at: number): number {
  return [0, 1, 2, 3].reduce((word, index) => (word | ((bytes[at + index] ?? 0) << (8 * index))) >>> 0, 0);
}

const high = (register: number) => register >>> 16;

const failed = (what: string) =>
  new RpciError('GUESTINFO_FAILED', `the hypervisor ${what}`, {
    nextStep: 'restart the virtual machine, or give the configuration on a volume labelled CPUSHARE',
  });
