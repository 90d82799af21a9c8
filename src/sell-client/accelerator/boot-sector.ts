/**
 * A guest of one boot sector (512 bytes, 16-bit real mode). It proves that a processor ran its code: each byte of a
 * fresh secret comes back inverted on the debug port, then the machine ends itself with a code of our choice.
 */

/** I/O ports of QEMU's isa-debugcon and isa-debug-exit as the probe sets them up. */
export const DEBUG_PORT = 0xe9;
export const EXIT_PORT = 0xf4;
/** isa-debug-exit ends QEMU with (value << 1) | 1. */
const EXIT_VALUE = 0x31;
export const EXIT_CODE = (EXIT_VALUE << 1) | 1;

const LOAD_ADDRESS = 0x7c00;
const SECTOR_BYTES = 512;
/** SeaBIOS reads no disk that is smaller than one cylinder of its made-up geometry. */
const DISK_BYTES = 1024 * 1024;
const MAX_SECRET_BYTES = 64;

export function bootDisk(secret: Uint8Array): Uint8Array {
  if (secret.length === 0 || secret.length > MAX_SECRET_BYTES) throw new RangeError(`secret of ${secret.length} bytes`);
  const secretAddress = LOAD_ADDRESS + CODE_BYTES;
  const code = [
    ...[0xfa], //                                      cli
    ...[0xfc], //                                      cld
    ...[0x31, 0xc0], //                                xor ax, ax
    ...[0x8e, 0xd8], //                                mov ds, ax
    ...[0xbe, secretAddress & 0xff, secretAddress >> 8], // mov si, secret
    ...[0xb9, secret.length, 0], //                    mov cx, length
    ...[0xac], //                               next:  lodsb
    ...[0xf6, 0xd0], //                                not al
    ...[0xe6, DEBUG_PORT], //                          out debug, al
    ...[0xe2, 0xf9], //                                loop next
    ...[0xb0, EXIT_VALUE], //                          mov al, value
    ...[0xe6, EXIT_PORT], //                           out exit, al
    ...[0xf4], //                                stop: hlt
    ...[0xeb, 0xfd], //                                jmp stop
  ];
  const disk = new Uint8Array(DISK_BYTES);
  disk.set(code);
  disk.set(secret, CODE_BYTES);
  disk.set([0x55, 0xaa], SECTOR_BYTES - 2);
  return disk;
}

/** What the guest writes for this secret. */
export function expectedOutput(secret: Uint8Array): Uint8Array {
  return secret.map((byte) => ~byte & 0xff);
}

const CODE_BYTES = 26;
