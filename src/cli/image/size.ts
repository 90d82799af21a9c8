/** `cpushare image size`: what the ISO is made of, as a tree map in the terminal or as a page. */
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { readImageSource } from '../../../scripts/image-source.ts';
import { projectRoot } from '../../../scripts/project.ts';
import { readSizeTree } from '../../../scripts/publish.ts';
import { sizePage } from '../../../scripts/size-tree/size-page.ts';
import { nodeAt, type SizeTree } from '../../../scripts/size-tree/size-tree.ts';
import { mebibytes, terminalBars, terminalMap } from '../../../scripts/size-tree/terminal.ts';
import { CodedError } from '../../shared/errors.ts';
import { type FlavourArguments, flavourOption } from './flavour-option.ts';
import { writePage } from './write-page.ts';

class SizeError extends CodedError<'SIZE_PART_UNKNOWN'> {}

interface SizeArguments extends FlavourArguments {
  readonly part: string | undefined;
  readonly html: string | undefined;
  readonly json: boolean | undefined;
}

export const sizeCommand: CommandModule<object, SizeArguments> = {
  command: 'size [part]',
  describe: 'Show what the built image is made of: a map of its bytes by part, package and file',
  builder: (yargs) =>
    flavourOption(yargs)
      .positional('part', { type: 'string', describe: 'look into one part or package, such as base/libnode115' })
      .option('html', { type: 'string', requiresArg: true, describe: 'write the map as a page to this file' })
      .option('json', { type: 'boolean', describe: 'print JSON' })
      .conflicts('html', 'json')
      .example('$0 image size', 'weigh dist/cpushare-seller.iso')
      .example('$0 image size base', 'the packages in it, largest first')
      .example('$0 image size --html size.html', 'the same as a page'),
  handler: async ({ part, html, json, flavour }) => {
    const source = await readImageSource(projectRoot, flavour);
    const tree = await readSizeTree(join(projectRoot, 'dist'), source);
    const budgetBytes = source.spec.budgets.isoBytes;
    if (html !== undefined) {
      await writePage(html, sizePage(tree, budgetBytes));
    } else if (json === true) console.log(JSON.stringify(tree));
    else console.log(sizeText(tree, { part, budgetBytes, colours: wantsColours() }));
  },
};

/** https://no-color.org; a pipe gets no colours either. */
function wantsColours(): boolean {
  return process.stdout.isTTY === true && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb';
}

interface SizeTextOptions {
  readonly part: string | undefined;
  readonly budgetBytes: number;
  readonly colours: boolean;
}

/** @throws SizeError SIZE_PART_UNKNOWN */
export function sizeText(tree: SizeTree, { part, budgetBytes, colours }: SizeTextOptions): string {
  const node = nodeAt(tree, part === undefined ? [] : part.split('/'));
  if (node === undefined) {
    throw new SizeError('SIZE_PART_UNKNOWN', `${tree.image.name} has no part or package ${part}`, {
      nextStep: `take one of ${tree.parts.map(({ name }) => name).join(', ')}, or PART/PACKAGE`,
    });
  }
  const share = Math.round((node.bytes / budgetBytes) * 100);
  const of = part === undefined ? `${share} % of the budget of ${mebibytes(budgetBytes)}` : `in the ISO`;
  const head = `${node.name}: ${mebibytes(node.bytes)} (${node.bytes} bytes), ${of}`;
  return [head, ...(colours ? [...terminalMap(node), ''] : []), ...terminalBars(node)].join('\n');
}
