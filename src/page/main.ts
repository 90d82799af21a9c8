/** The verifier's page: collects what a person gives, judges it here, shows the outcome. Nothing leaves the browser. */
import { nobleAttestCrypto } from '../attest/crypto/crypto-noble.ts';
import type { TpmClass } from '../attest/evidence.ts';
import { MachineList } from '../protocol/messages.ts';
import { parseJson, requireShape } from '../protocol/schema-check.ts';
import { CodedError } from '../shared/errors.ts';
import { type DocumentKind, type GivenDocument, kindOf } from './documents.ts';
import { byId, el } from './dom.ts';
import { whenIdle } from './idle.ts';
import type { PageInputs } from './inputs.ts';
import { judgeInputs, type Outcome } from './judge.ts';
import { allowedLink, fetchDocument, isForeign, LinkError, MAX_DOCUMENT_BYTES, wishOf } from './links.ts';
import { documentList } from './view/document-list.ts';
import { machineItems } from './view/machine-list.ts';
import { resultView } from './view/result.ts';
import { warmUp } from './warm-up.ts';

class PageError extends CodedError<'PAGE_FAILED'> {}

const form = byId('inputs', HTMLFormElement);
const files = byId('files', HTMLInputElement);
const list = byId('documents', HTMLUListElement);
const pasted = byId('pasted', HTMLTextAreaElement);
const link = byId('link', HTMLInputElement);
const nonce = byId('nonce', HTMLInputElement);
const asReported = byId('as-reported', HTMLInputElement);
const broker = byId('broker', HTMLInputElement);
const at = byId('at', HTMLInputElement);
const machines = byId('machines', HTMLDetailsElement);
const notice = byId('notice', HTMLElement);
const banner = byId('banner', HTMLElement);
const details = byId('details', HTMLElement);

/** One report and one policy at a time: a new one takes the place of the old. */
const SINGLE: readonly DocumentKind[] = ['report', 'policy'];
let documents: readonly GivenDocument[] = [];
/** Links of the fragment that are still to be followed. */
let wished: readonly string[] = [];

files.addEventListener('change', () => void attempt(addFiles([...(files.files ?? [])])));
byId('add-pasted', HTMLButtonElement).addEventListener('click', () => {
  add('pasted text', new TextEncoder().encode(pasted.value));
  pasted.value = '';
});
byId('fetch-link', HTMLButtonElement).addEventListener('click', () => void attempt(addLink(link.value.trim())));
asReported.addEventListener('change', () => {
  nonce.disabled = asReported.checked;
});
form.addEventListener('submit', (event) => {
  event.preventDefault();
  void attempt(verify());
});
window.addEventListener('dragover', (event) => {
  event.preventDefault();
  document.body.classList.add('dragging');
});
window.addEventListener('dragleave', (event) => {
  if (event.relatedTarget === null) document.body.classList.remove('dragging');
});
window.addEventListener('drop', (event) => {
  event.preventDefault();
  document.body.classList.remove('dragging');
  void attempt(addFiles([...(event.dataTransfer?.files ?? [])]));
});
machines.hidden = !location.protocol.startsWith('http');
machines.addEventListener('toggle', () => {
  if (machines.open) void attempt(listMachines());
});
window.addEventListener('hashchange', () => void attempt(follow(location.hash)));
showDocuments();
warmUp(nobleAttestCrypto, whenIdle);
void attempt(follow(location.hash));

async function addFiles(chosen: readonly File[]): Promise<void> {
  files.value = ''; // the same file can be chosen again after it was changed
  for (const file of chosen) {
    if (file.size > MAX_DOCUMENT_BYTES) {
      const sizes = `${file.size} bytes, at most ${MAX_DOCUMENT_BYTES} are read`;
      throw new LinkError('FILE_TOO_LARGE', `${file.name} has ${sizes}`);
    }
    add(file.name, new Uint8Array(await file.arrayBuffer()));
  }
}

async function addLink(text: string): Promise<void> {
  const url = allowedLink(text, location.href);
  say(`Fetching from ${url.host} …`);
  add(url.href, await fetchDocument(url));
  link.value = '';
  if (wished.length > 0) await followNext();
}

async function listMachines(): Promise<void> {
  const bytes = await fetchDocument(allowedLink('/v1/machines', location.href));
  const known = requireShape(MachineList, parseJson(bytes, 'the list of machines'), 'the list of machines');
  byId('machine-list', HTMLUListElement).replaceChildren(...machineItems(known));
}

/** What a link to this page wishes for, in its fragment. */
async function follow(fragment: string): Promise<void> {
  const wish = wishOf(fragment);
  if (wish.nonce !== '') nonce.value = wish.nonce;
  if (wish.brokerId !== '') broker.value = wish.brokerId;
  wished = wish.links;
  await followNext();
  const given = documents.map(({ kind }) => kind);
  if (wish.links.length > 0 && given.includes('report') && given.includes('reference') && nonce.value !== '')
    await verify();
}

/** From this page's own place a link is followed; for any other the person is asked, and the rest waits for the answer. */
async function followNext(): Promise<void> {
  const [next, ...rest] = wished;
  if (next === undefined) return;
  wished = rest;
  const url = allowedLink(next, location.href);
  if (!isForeign(url, location.href)) return addLink(next);
  byId('by-link', HTMLDetailsElement).open = true;
  link.value = url.href;
  say(`The link that brought you here wants a file from ${url.host}. Press “Fetch” if you want that too.`);
  link.focus();
}

function add(name: string, bytes: Uint8Array): void {
  const kind = kindOf(bytes);
  if (kind === 'nonce') {
    nonce.value = new TextDecoder().decode(bytes).trim();
    asReported.checked = false;
    nonce.disabled = false;
    say('The challenge was filled in.');
    return;
  }
  const kept = documents.filter((each) => each.kind !== kind || !SINGLE.includes(kind));
  documents = [...kept, { kind, name, bytes }];
  showDocuments();
  say(`${name} was added.`);
  whenIdle(rehearse);
}

/** Judges for nobody while the reader looks for the next file: the verdict need not wait for what the engine compiles. */
function rehearse(): void {
  try {
    judgeInputs({ ...inputs(), challenge: { kind: 'as-reported' } }, new Date(), nobleAttestCrypto);
  } catch {
    // A defect shows when the verdict is asked for.
  }
}

function showDocuments(): void {
  const items = documentList(documents, {
    remove: (removed) => {
      documents = documents.filter((each) => each !== removed);
      showDocuments();
      say(`${removed.name} was removed.`);
      files.focus();
    },
    change: (changed, kind) => {
      documents = documents.map((each) => (each === changed ? { ...each, kind } : each));
    },
  });
  list.replaceChildren(...items);
}

async function verify(): Promise<void> {
  banner.replaceChildren();
  details.replaceChildren();
  say('Judging …');
  await painted();
  const startMs = performance.now();
  const outcome = judgeInputs(inputs(), new Date(), nobleAttestCrypto);
  const tookMs = performance.now() - startMs;
  show(outcome);
  say(outcome.kind === 'judged' ? `Judged in ${tookMs.toFixed(0)} ms, in this browser.` : '');
  document.body.dataset.tookMs = tookMs.toFixed(1);
}

function show(outcome: Outcome): void {
  const view = resultView(outcome);
  banner.replaceChildren(view.banner);
  details.replaceChildren(...view.details);
  const heading = view.banner.querySelector('h2');
  heading?.focus({ preventScroll: true });
  banner.scrollIntoView({ block: 'start' });
}

function inputs(): PageInputs {
  const classes = [...form.querySelectorAll<HTMLInputElement>('input[name=class]:checked')];
  return {
    documents,
    challenge: asReported.checked ? { kind: 'as-reported' } : { kind: 'given', text: nonce.value.trim() },
    brokerId: broker.value.trim(),
    acceptedClasses: classes.map(({ value }) => value as TpmClass),
    at: at.value.trim(),
  };
}

/** Whatever goes wrong is shown like a judgement that could not be made: silence could be taken for consent. */
async function attempt(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    say('');
    if (error instanceof CodedError) {
      show({ kind: 'unjudged', error });
      return;
    }
    const defect = new PageError('PAGE_FAILED', 'this page itself failed', {
      cause: error,
      nextStep: 'judge with “cpushare attest verify”, and report this message with the files',
    });
    show({ kind: 'unjudged', error: defect });
    throw error;
  }
}

function say(text: string): void {
  notice.replaceChildren(el('span', {}, text));
}

/** After the browser has drawn: a large report must not hide that work began. */
function painted(): Promise<void> {
  return new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve));
  });
}
