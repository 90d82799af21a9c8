import { describe, expect, it } from 'vitest';
import { lockFolder } from './folder-lock-node.ts';

describe('lockFolder', () => {
  const folder = `/somewhere/${process.pid}`;

  it('is held by one at a time, per purpose and folder', async () => {
    const release = await lockFolder('test', folder);
    expect(release).not.toBeNull();
    expect(await lockFolder('test', folder)).toBeNull();
    const others = [await lockFolder('test', `${folder}/other`), await lockFolder('other', folder)];
    expect(others).not.toContain(null);
    await release?.();
    const again = await lockFolder('test', folder);
    expect(again).not.toBeNull();
    for (const each of [again, ...others]) await each?.();
  });
});
