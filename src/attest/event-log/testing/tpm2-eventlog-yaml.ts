/**
 * The YAML of tpm2_eventlog as fields in the order written: keys and plain values, nesting left out. Its dialect only:
 * one key a line, strings in quotes that may go on over lines, blocks of text behind `|-`, in which version 5.4 quotes every line of a string.
 */

export interface YamlField {
  readonly key: string;
  readonly value: string;
}

export interface TpmYaml {
  /** A list of fields for each event. */
  readonly events: readonly (readonly YamlField[])[];
  /** Register values in hex, by bank and register. */
  readonly pcrs: { readonly [bank: string]: { readonly [pcr: string]: string } };
}

export function readTpm2EventlogYaml(yaml: string): TpmYaml {
  const pcrsAt = yaml.lastIndexOf('\npcrs:');
  const lines = yaml.slice(yaml.indexOf('events:\n') + 8, pcrsAt === -1 ? undefined : pcrsAt).split('\n');
  const events: YamlField[][] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    // a SHA-1 log has no numbers and no dashes
    if (line.startsWith('- ') || (line.startsWith('  PCRIndex:') && events.at(-1)?.at(-1)?.key !== 'EventNum')) {
      events.push([]);
    }
    const [, key, raw] = /^\s*(?:- )?([A-Za-z][A-Za-z0-9[\]]*):(?: (.*))?$/.exec(line) ?? [];
    if (key === undefined) {
      const item = /^\s*- (.*)$/.exec(line)?.[1];
      if (item !== undefined) events.at(-1)?.push({ key: '-', value: item });
      continue;
    }
    let value = raw ?? '';
    if (value === '|-') {
      const indent = line.search(/\S/);
      const block: string[] = [];
      while (indentOf(lines[index + 1]) > indent || lines[index + 1] === '') {
        index += 1;
        block.push((lines[index] ?? '').trim());
      }
      const text = block.join('\n').trimEnd().split('\n');
      value = text.every((each) => /^".*"$/.test(each)) ? text.map(unquote).join('\n') : text.join('\n');
      events.at(-1)?.push({ key, value });
      continue;
    } else if (value.startsWith('"')) {
      while (!/[^\\](\\\\)*"$/.test(value) && value !== '""' && index + 1 < lines.length) {
        index += 1;
        value = `${value.replace(/\\$/, '')}${(lines[index] ?? '').trim()}`;
      }
    }
    events.at(-1)?.push({ key, value: unquote(value) });
  }
  return { events, pcrs: readPcrs(pcrsAt === -1 ? '' : yaml.slice(pcrsAt)) };
}

function indentOf(line: string | undefined): number {
  return line === undefined ? -1 : line.search(/\S/);
}

const ESCAPES: { readonly [letter: string]: string } = {
  n: '\n',
  t: '\t',
  r: '\r',
  '0': '\0',
  '"': '"',
  "'": "'",
  '\\': '\\',
  '/': '/',
};

function unquote(value: string): string {
  if (value.startsWith("'") && value.endsWith("'")) return value.slice(1, -1).replaceAll("''", "'");
  if (!value.startsWith('"') || !value.endsWith('"')) return value;
  return value
    .slice(1, -1)
    .replace(/\\(x[0-9a-fA-F]{2}|.)/g, (whole, code: string) =>
      code.length === 3 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : (ESCAPES[code] ?? whole),
    );
}

function readPcrs(section: string): TpmYaml['pcrs'] {
  const banks: Record<string, Record<string, string>> = {};
  let bank: Record<string, string> = {};
  for (const line of section.split('\n')) {
    const name = /^ {2}(s\w+):$/.exec(line)?.[1];
    if (name !== undefined) {
      bank = {};
      banks[name] = bank;
    }
    const [, register, value] = /^ {4}(\d+) *: 0x([0-9a-fA-F]+)$/.exec(line) ?? [];
    if (register !== undefined && value !== undefined) bank[register] = value.toLowerCase();
  }
  return banks;
}
