import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { predictGrub } from './reference-values-grub.ts';

const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex');

/** The configuration of the recorded boot debian13-qemu-cd. */
const RECORDED = `search --no-floppy --fs-uuid --set=root 2023-11-14-22-13-20-00
linux /boot/vmlinuz console=tty0 console=ttyS0,115200 lockdown=confidentiality panic=10
initrd /boot/initrd.img
boot
`;

describe('a boot that was recorded', () => {
  it('gives the digests of the commands and of the command line that its event log has', () => {
    const prediction = predictGrub(RECORDED);
    expect(prediction.commands.map(sha256)).toEqual([
      'ed5c0b5c3f386240601b0b211864a39e80d3a87f0ee7b450aeae3278efd3cf2b',
      '98b0a9bfd0858e6ca3db4a095df3b4e7301242960d7266b5e54cd13288514ea2',
      'dba3f87173ac201540e894d987ae03ab0fd9d0bc189acbfa24a4bc0402684a67',
      '4509beb0ab401d71fa4a5cd94a55c9a74f13332776ae4019c5bfc4c2005157ff',
    ]);
    expect(sha256(prediction.kernelCommandLine)).toBe(
      'b7aebd349d1e277e745f44395788a18014b3375c9dea3d0cf7cb223deaa58b32',
    );
    expect(sha256(Buffer.from(prediction.loadOptions, 'utf16le'))).toBe(
      'c41102d6b9cca066a36ea2b6a06828a63bb68870a3795c639474e7337d59934d',
    );
  });
});

describe('words', () => {
  const linux = (line: string) => predictGrub(`linux /k ${line}\ninitrd /i\nboot\n`);

  it.each([
    { name: 'joins words by one space', line: '  a   b\t c ', command: 'linux /k a b c', kernel: '/k a b c' },
    { name: 'takes quotes away', line: `'a' "b"`, command: 'linux /k a b', kernel: '/k a b' },
    {
      name: 'quotes a word with a space again for the kernel',
      line: `'foo=a b'`,
      command: 'linux /k foo=a b',
      kernel: '/k "foo=a b"',
    },
    {
      name: 'joins quoted and plain parts of one word',
      line: `foo="a b"c`,
      command: 'linux /k foo=a bc',
      kernel: '/k "foo=a bc"',
    },
    { name: 'ends at a comment', line: 'a # b', command: 'linux /k a', kernel: '/k a' },
  ])('$name', ({ line, command, kernel }) => {
    const prediction = linux(line);
    expect(prediction.commands[0]).toBe(command);
    expect(prediction.kernelCommandLine).toBe(kernel);
    expect(prediction.loadOptions).toBe(`BOOT_IMAGE=${kernel}`);
  });

  it('keeps an apostrophe inside double quotes', () => {
    expect(predictGrub(`echo "it's"\nlinux /k\ninitrd /i\nboot\n`).commands[0]).toBe("echo it's");
  });

  it('keeps plain words as they are, however many blanks stand between them', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9_.,:=+@%/^-]{1,20}$/);
    const blanks = fc.stringMatching(/^[ \t]{1,4}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(blanks, word), { minLength: 1, maxLength: 8 }), (parts) => {
        const text = parts.map(([blank, one]) => blank + one).join('');
        expect(linux(text).kernelCommandLine).toBe(['/k', ...parts.map(([, one]) => one)].join(' '));
      }),
    );
  });
});

describe('what cannot be foreseen is refused, with the line', () => {
  const rest = '\nlinux /k\ninitrd /i\nboot\n';
  it.each([
    { name: 'a variable', config: `echo $root${rest}`, line: 1 },
    { name: 'a variable in double quotes', config: `echo "$root"${rest}`, line: 1 },
    { name: 'two commands in a line', config: `echo a; echo b${rest}`, line: 1 },
    { name: 'an escape', config: `echo a\\b${rest}`, line: 1 },
    { name: 'a wildcard', config: `echo *${rest}`, line: 1 },
    { name: 'a # inside a word', config: `echo a#b${rest}`, line: 1 },
    { name: 'a quote inside a kernel parameter', config: `linux /k "it's"\ninitrd /i\nboot\n`, line: 2 },
    { name: 'a carriage return', config: `echo a\r${rest.slice(1)}`, line: 1 },
    { name: 'an open quote', config: `echo 'a${rest}`, line: 1 },
    { name: 'a condition', config: `if true${rest}`, line: 1 },
    { name: 'a menu', config: `menuentry a {${rest}`, line: 1 },
    { name: 'an unknown command on line 3', config: `echo a\n\ninsmod fat${rest}`, line: 3 },
    { name: 'a search that opens files', config: `search --fs-uuid --file /x${rest}`, line: 1 },
    { name: 'a search by file alone', config: `search --set=root -f /x${rest}`, line: 1 },
    { name: 'a second kernel', config: `linux /other${rest}`, line: 4 },
    { name: 'two initrds', config: 'linux /k\ninitrd /a /b\nboot\n', line: 2 },
    { name: 'no initrd', config: 'linux /k\nboot\n', line: 2 },
    { name: 'no boot', config: 'linux /k\ninitrd /a\n', line: 2 },
  ])('$name', ({ config, line }) => {
    expect(() => predictGrub(config)).toThrow(
      expect.objectContaining({
        code: 'GRUB_UNPREDICTABLE',
        message: expect.stringContaining(`grub.cfg line ${line}:`) as unknown,
      }) as Error,
    );
  });

  it('leaves out what runs only after a failed boot', () => {
    expect(predictGrub(`linux /k\ninitrd /i\nboot\necho 'failed'\nreboot\n`).commands).toEqual([
      'linux /k',
      'initrd /i',
      'boot',
    ]);
  });
});
