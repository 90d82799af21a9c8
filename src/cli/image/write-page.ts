/** A page where the person asked for it, whole or not at all. */
import { CodedError } from '../../shared/errors.ts';
import { writeWhole } from '../write-whole.ts';

class ImagePageError extends CodedError<'IMAGE_PAGE_UNWRITABLE'> {}

/** @throws ImagePageError */
export async function writePage(path: string, html: string): Promise<void> {
  await writeWhole(path, html, (to, cause) => {
    return new ImagePageError('IMAGE_PAGE_UNWRITABLE', `${to} cannot be written`, {
      cause,
      nextStep: 'check that its folder exists, that you may write there, and the free space',
    });
  });
  console.log(`Wrote ${path}`);
}
