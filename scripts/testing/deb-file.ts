/** Makes small .deb files for tests: ar around debian-binary, an empty control.tar and data.tar (deb(5)). */
import { type Header, pack } from 'tar-stream';

export type Member = Partial<Header> & { readonly name: string; readonly content?: string | Buffer };

export async function debFile(members: readonly Member[]): Promise<Buffer> {
  return arFile([
    { name: 'debian-binary', data: Buffer.from('2.0\n') },
    { name: 'control.tar', data: await tarFile([]) },
    { name: 'data.tar', data: await tarFile(members) },
  ]);
}

export async function tarFile(members: readonly Member[]): Promise<Buffer> {
  const stream = pack();
  for (const { content, ...header } of members) stream.entry(header, content ?? '');
  stream.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of stream as unknown as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function arFile(members: readonly { readonly name: string; readonly data: Uint8Array }[]): Buffer {
  const parts = members.flatMap(({ name, data }) => [
    Buffer.from(`${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}`),
    Buffer.from(`${String(data.length).padEnd(10)}\`\n`),
    data,
    Buffer.alloc(data.length % 2, '\n'),
  ]);
  return Buffer.concat([Buffer.from('!<arch>\n'), ...parts]);
}
