/** `cpushare image hardware`: which devices the built image drives. */
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { GROUPS, type GroupId, type HardwareList, modulesServing } from '../../../scripts/hardware/hardware-list.ts';
import { readImageSource } from '../../../scripts/image-source.ts';
import { projectRoot } from '../../../scripts/project.ts';
import { readPublished } from '../../../scripts/publish.ts';
import { type FlavourArguments, flavourOption } from './flavour-option.ts';
import { writePage } from './write-page.ts';

interface HardwareArguments extends FlavourArguments {
  readonly ids: string[] | undefined;
  readonly html: string | undefined;
  readonly json: boolean | undefined;
}

export const hardwareCommand: CommandModule<object, HardwareArguments> = {
  command: 'hardware [ids..]',
  describe: 'Say which devices the built image has drivers for, or who drives a vendor:device',
  builder: (yargs) =>
    flavourOption(yargs)
      .positional('ids', { type: 'string', array: true, describe: 'vendor:device as lspci -nn and lsusb show it' })
      .option('html', { type: 'string', requiresArg: true, describe: 'write the searchable page to this file' })
      .option('json', { type: 'boolean', describe: 'print JSON' })
      .conflicts('html', 'json')
      .example('$0 image hardware', 'the drivers by what they are for')
      .example('$0 image hardware 10ec:8168', 'is this card served?'),
  handler: async ({ ids, html, json, flavour }) => {
    const source = await readImageSource(projectRoot, flavour);
    const read = (name: 'hardware' | 'hardwarePage') => readPublished(join(projectRoot, 'dist'), source, name);
    if (html !== undefined) {
      await writePage(html, await read('hardwarePage'));
      return;
    }
    const text = await read('hardware');
    const list = JSON.parse(text) as HardwareList;
    if (json === true) console.log(text.trimEnd());
    else if (ids === undefined || ids.length === 0) console.log(groupLines(list).join('\n'));
    else {
      const answers = ids.map((id) => served(list, id));
      console.log(answers.map(({ line }) => line).join('\n'));
      // 1 as a refusal: the question was understood and the answer is no.
      if (answers.some(({ known }) => !known)) process.exitCode = 1;
    }
  },
};

function groupLines(list: HardwareList): string[] {
  return (Object.keys(GROUPS) as GroupId[]).flatMap((group) => {
    const modules = list.modules.filter((one) => one.group === group);
    if (modules.length === 0) return [];
    const count = modules.reduce((sum, one) => sum + one.devices.length, 0);
    return [`${GROUPS[group]}: ${count} ids`, ...filled(modules.map(({ module }) => module))];
  });
}

function filled(words: readonly string[], columns = 78): string[] {
  const lines: string[] = [];
  let line = ' ';
  for (const word of words) {
    if (line.length + word.length + 1 > columns) {
      lines.push(line);
      line = ' ';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

function served(list: HardwareList, id: string): { line: string; known: boolean } {
  const found = (['PCI', 'USB'] as const).flatMap((bus) =>
    modulesServing(list, bus, id).map((module) => `${module} (${bus})`),
  );
  if (found.length === 0) return { line: `${id}: no driver in this image`, known: false };
  return { line: `${id}: ${found.join(', ')}`, known: true };
}
