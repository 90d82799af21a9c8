/** The hypervisor's side of RPCI (open-vm-tools, lib/include/backdoor_def.h and guest_msg_def.h), for one channel. */
import type { Registers } from '../configuration/rpci.ts';

const SUCCESS = 1;
const DO_RECEIVE = 2;
const COOKIES = { esi: 0x11223344, edi: 0xaabbccdd };
const CHANNEL = 5;

export interface RpciHost {
  answer(call: Registers): Registers;
  /** What was asked, once it was whole. */
  readonly requests: string[];
  readonly open: boolean;
}

/** `reply` to each request; `refuse` is a message type that fails. */
export function rpciHost(reply: (request: string) => Uint8Array, refuse?: number): RpciHost {
  const state = { open: false, wanted: 0, request: [] as number[], reply: new Uint8Array(), sent: 0 };
  const requests: string[] = [];
  const handlers: Record<number, (ebx: number) => Partial<Registers> & { status?: number }> = {
    0: (ebx) => {
      if (ebx !== 0xc9435052) return { status: 0 };
      state.open = true;
      return { edx: CHANNEL << 16, ...COOKIES };
    },
    1: (ebx) => {
      state.wanted = ebx;
      state.request = [];
      return {};
    },
    2: (ebx) => {
      state.request.push(...[0, 8, 16, 24].map((shift) => (ebx >>> shift) & 0xff));
      if (state.request.length >= state.wanted) {
        requests.push(Buffer.from(state.request.slice(0, state.wanted)).toString('latin1'));
        state.reply = new Uint8Array(reply(requests.at(-1) ?? ''));
        state.sent = 0;
      }
      return {};
    },
    3: () => ({ ebx: state.reply.length, edx: 1 << 16, status: SUCCESS | DO_RECEIVE }),
    4: () => {
      const part = Buffer.concat([state.reply.subarray(state.sent, state.sent + 4), Buffer.alloc(4)]);
      state.sent += 4;
      return { ebx: part.readUInt32LE(0), edx: 2 << 16 };
    },
    5: () => ({}),
    6: () => {
      state.open = false;
      return {};
    },
  };
  return {
    requests,
    get open() {
      return state.open;
    },
    answer(call) {
      const type = call.ecx >>> 16;
      const known = type === 0 || (call.edx >>> 16 === CHANNEL && call.esi === COOKIES.esi && call.edi === COOKIES.edi);
      const handled = known && type !== refuse ? handlers[type]?.(call.ebx) : { status: 0 };
      const { status = SUCCESS, ...registers } = handled ?? { status: 0 };
      return { ...call, ...registers, ecx: (status << 16) >>> 0 };
    },
  };
}
