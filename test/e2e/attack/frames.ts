/** Ethernet frames of the scan: TCP SYN, UDP and ICMP echo from the gateway's address to the machine's (RFC 768, 791, 792, 9293). */

/** QEMU's user network gives the first machine this address; its gateway asks from the other. */
export const MACHINE_ADDRESS = '10.0.2.15';
const GATEWAY = [10, 0, 2, 2];
const MACHINE = [10, 0, 2, 15];
/** QEMU's defaults for the gateway and for a machine's first card. */
const GATEWAY_HARDWARE = [0x52, 0x55, 10, 0, 2, 2];
const MACHINE_HARDWARE = [0x52, 0x54, 0, 0x12, 0x34, 0x56];

const [ICMP, TCP, UDP] = [1, 6, 17];
const [ECHO_REPLY, UNREACHABLE, OF_PORT] = [0, 3, 3];
const OWN_PORT = 40_000;
const [SYN, RST, ACK] = [0x02, 0x04, 0x10];
const ETHERNET_BYTES = 14;

export type Answer =
  | { readonly kind: 'accepted' | 'refused'; readonly port: number }
  | { readonly kind: 'udp refused'; readonly port: number }
  | { readonly kind: 'pong' };

export function synFrame(port: number): Uint8Array {
  const tcp = Buffer.alloc(20);
  tcp.writeUInt16BE(OWN_PORT, 0);
  tcp.writeUInt16BE(port, 2);
  tcp.writeUInt32BE(1, 4);
  tcp[12] = 5 << 4;
  tcp[13] = SYN;
  tcp.writeUInt16BE(1024, 14);
  const pseudo = Buffer.from([...GATEWAY, ...MACHINE, 0, TCP, 0, tcp.length]);
  tcp.writeUInt16BE(checksum(Buffer.concat([pseudo, tcp])), 16);
  return frame(TCP, tcp);
}

/** Without a checksum, as UDP may be; what it asks is nothing that any protocol knows. */
export function udpFrame(port: number): Uint8Array {
  const udp = Buffer.alloc(16);
  udp.writeUInt16BE(OWN_PORT, 0);
  udp.writeUInt16BE(port, 2);
  udp.writeUInt16BE(udp.length, 4);
  return frame(UDP, udp);
}

export function pingFrame(): Uint8Array {
  const echo = Buffer.from([8, 0, 0, 0, 0, 1, 0, 1]);
  echo.writeUInt16BE(checksum(echo), 2);
  return frame(ICMP, echo);
}

/** Null for everything that is no answer to the scan. */
export function parseAnswer(bytes: Buffer): Answer | null {
  if (bytes.length < ETHERNET_BYTES + 28 || bytes.readUInt16BE(12) !== 0x0800) return null;
  const packet = bytes.subarray(ETHERNET_BYTES);
  const body = packet.subarray(((packet[0] ?? 0) & 15) * 4);
  if (!packet.subarray(16, 20).equals(Buffer.from(GATEWAY))) return null;
  if (packet[9] === ICMP) return parseIcmp(body);
  if (packet[9] !== TCP || body.length < 20 || body.readUInt16BE(2) !== OWN_PORT) return null;
  const flags = body[13] ?? 0;
  const port = body.readUInt16BE(0);
  if ((flags & RST) !== 0) return { kind: 'refused', port };
  return (flags & (SYN | ACK)) === (SYN | ACK) ? { kind: 'accepted', port } : null;
}

function parseIcmp(body: Buffer): Answer | null {
  if (body[0] === ECHO_REPLY) return { kind: 'pong' };
  // Behind its eight bytes the packet that was refused: without options, as we sent it.
  const refused = body.subarray(8);
  if (body[0] !== UNREACHABLE || body[1] !== OF_PORT || refused.length < 28 || refused[9] !== UDP) return null;
  return { kind: 'udp refused', port: refused.readUInt16BE(22) };
}

function frame(protocol: number, body: Uint8Array): Uint8Array {
  const ip = Buffer.alloc(20);
  ip[0] = 0x45;
  ip.writeUInt16BE(20 + body.length, 2);
  ip[8] = 64;
  ip[9] = protocol;
  ip.set([...GATEWAY, ...MACHINE], 12);
  ip.writeUInt16BE(checksum(ip), 10);
  const ethernet = Buffer.from([...MACHINE_HARDWARE, ...GATEWAY_HARDWARE, 0x08, 0x00]);
  return Buffer.concat([ethernet, ip, body]);
}

/** The internet checksum (RFC 1071). */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
