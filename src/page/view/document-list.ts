/** What was given so far, each with a way to take it back. */
import { CERTIFICATE_KINDS, type DocumentKind, type GivenDocument } from '../documents.ts';
import { el } from '../dom.ts';

const LABELS: { readonly [kind in DocumentKind]: string } = {
  report: 'Report',
  reference: 'Reference values',
  'reference-key': 'Key that must have signed reference values',
  trust: 'Trusted authorities',
  certificate: 'EK or intermediate certificates, not trusted',
  crl: 'Revocation lists',
  policy: 'Policy',
  nonce: 'Challenge',
};

export interface DocumentActions {
  readonly remove: (document: GivenDocument) => void;
  readonly change: (document: GivenDocument, kind: DocumentKind) => void;
}

export function documentList(
  documents: readonly GivenDocument[],
  { remove, change }: DocumentActions,
): readonly HTMLElement[] {
  return documents.map((document) => {
    const { kind, name, bytes } = document;
    const button = el('button', { type: 'button', class: 'quiet', 'aria-label': `Remove ${name}` }, 'Remove');
    button.addEventListener('click', () => remove(document));
    return el(
      'li',
      { 'data-kind': kind },
      CERTIFICATE_KINDS.some((each) => each === kind)
        ? kindChoice(document, (chosen) => change(document, chosen))
        : el('strong', {}, LABELS[kind]),
      el('span', { class: 'name' }, name),
      el('span', { class: 'size' }, sizeText(bytes.length)),
      button,
    );
  });
}

function kindChoice(document: GivenDocument, choose: (kind: DocumentKind) => void): HTMLElement {
  const options = CERTIFICATE_KINDS.map((kind) =>
    el('option', { value: kind, selected: kind === document.kind ? '' : null }, LABELS[kind]),
  );
  const select = el('select', { 'aria-label': `What ${document.name} is` }, ...options);
  select.addEventListener('change', () => {
    const chosen = CERTIFICATE_KINDS.find((kind) => kind === select.value);
    if (chosen !== undefined) choose(chosen);
  });
  return select;
}

function sizeText(bytes: number): string {
  return bytes < 1024 ? `${bytes} bytes` : `${Math.round(bytes / 1024)} KiB`;
}
