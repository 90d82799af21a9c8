import { describe, expect, it } from 'vitest';
import { chooseScreen, type DisplayFacts, displayOf } from './run-display.ts';

const all: DisplayFacts = { desktop: true, terminal: true, textScreen: true, available: ['none', 'gtk', 'curses'] };

describe('chooseScreen', () => {
  it.each([
    { where: 'a desktop', facts: {}, screen: 'gtk' },
    { where: 'a desktop whose QEMU has no window', facts: { available: ['none', 'curses'] }, screen: 'curses' },
    { where: 'a terminal, text screen', facts: { desktop: false }, screen: 'curses' },
    { where: 'a terminal, UEFI machine', facts: { desktop: false, textScreen: false }, screen: 'serial' },
    { where: 'a pipe', facts: { desktop: false, terminal: false }, screen: 'serial' },
  ])('on $where: $screen', ({ facts, screen }) => {
    expect(chooseScreen(undefined, { ...all, ...facts })).toBe(screen);
  });

  it.each([
    { asked: 'gtk', facts: { desktop: false }, says: /WAYLAND_DISPLAY/, nextStep: /--display serial/ },
    { asked: 'gtk', facts: { available: ['none'] }, says: /gtk/, nextStep: /apt install qemu-system-gui/ },
    { asked: 'curses', facts: { terminal: false }, says: /no terminal/, nextStep: /--display serial/ },
    { asked: 'curses', facts: { textScreen: false }, says: /pixels/, nextStep: /vnc/ },
    { asked: 'curses', facts: { available: ['none'] }, says: /curses/, nextStep: /apt install qemu-system-x86/ },
  ] as const)('$asked where it cannot be: says why', ({ asked, facts, says, nextStep }) => {
    expect(() => chooseScreen(asked, { ...all, ...facts })).toThrow(
      expect.objectContaining({
        code: 'DISPLAY_MISSING',
        message: expect.stringMatching(says),
        nextStep: expect.stringMatching(nextStep),
      }),
    );
  });

  it('opens no screen for the serial port', () => {
    expect(chooseScreen('serial', { ...all, available: [] })).toBe('serial');
    expect(displayOf('serial')).toBe('none');
  });
});
