/** Elements without markup in strings: every text goes in as a text node, its control characters made visible. */
import { printable } from '../attest/event-log/report.ts';

export type Child = Node | string | null;

/** `attributes` of null are left out. */
export function el<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: { readonly [attribute: string]: string | null } = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== null) element.setAttribute(attribute, value);
  }
  element.append(...children.filter((child) => child !== null).map(shown));
  return element;
}

/** @throws Error when the page and its script do not belong together */
export function byId<Type extends HTMLElement>(id: string, type: abstract new () => Type): Type {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`the page has no ${id}`);
}

export type IconName = 'good' | 'bad' | 'open';

const ICONS: { readonly [name in IconName]: string } = {
  good: 'M5 12.5l4.5 4.5L19 7.5',
  bad: 'M6.5 6.5l11 11M17.5 6.5l-11 11',
  open: 'M6 12h12',
};

/** Decoration: the same is said in text beside it. */
export function icon(name: IconName): SVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

const shown = (child: Node | string): Node | string => (typeof child === 'string' ? printable(child) : child);
