/** The shell of an image for developers, asked over the serial line; what it says is read from the serial log. */
import type { Machine } from '../../../scripts/run/machine.ts';
import { openSerialLine } from './serial-line.ts';

export interface Shell {
  /** What a command prints, errors too, and `status N` as the last line. */
  run(command: string): Promise<string>;
}

const PATIENCE_MS = 120_000;

export async function openShell(machine: Machine, folder: string): Promise<Shell> {
  const line = await openSerialLine(machine, folder);
  line.send('\r');
  let asked = 0;
  return {
    run: async (command) => {
      asked += 1;
      // The line comes back as an echo; only what the shell makes of it has numbers in these places.
      line.send(`echo begin$((${asked}+0)); { ${command}; } 2>&1; echo status $?. end$((${asked}+0))\r`);
      const said = new RegExp(`begin${asked}\\r?\\n([\\s\\S]*?status \\d+)\\. end${asked}`);
      const [, answer = ''] = await machine.waitForSerial(said, PATIENCE_MS);
      // The sell client's own lines share the wire.
      return answer.replaceAll('\r', '').replace(/^cpushare: .*\n/gm, '');
    },
  };
}
