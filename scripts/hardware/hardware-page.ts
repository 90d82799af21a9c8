/** The hardware list as a page that a seller can search with what lspci, lsusb or Windows' device manager shows. */
import { escapeHtml, staticPage } from '../static-page.ts';
import { GROUPS, type GroupId, type HardwareList, type ServedDevice, type ServedModule } from './hardware-list.ts';

export function hardwarePage(list: HardwareList): string {
  const title = `Hardware that ${list.image.name} ${list.image.version} drives`;
  const groups = Object.keys(GROUPS) as GroupId[];
  const sections = groups.map((group) =>
    section(
      group,
      list.modules.filter((one) => one.group === group),
    ),
  );
  const devices = list.modules.reduce((sum, one) => sum + one.devices.length, 0);
  const body = `<header>
<h1>${escapeHtml(title)}</h1>
<p>${devices} device ids, served by ${list.modules.length} drivers of the kernel <span class="mono">${escapeHtml(list.kernel)}</span>.
A device whose id is here has its driver in the image. A <span class="mono">*</span> stands for any id.</p>
<p class="soft">Your device's id: on Linux <code>lspci -nn</code> or <code>lsusb</code>, on Windows the device manager
(Details, Hardware Ids), and on the screen of a machine that lacks a driver. It looks like <code>10ec:8168</code> or
<code>VEN_10EC&amp;DEV_8168</code>; type either.</p>
<label for="search">Search id, name or driver</label>
<input id="search" type="search" autocomplete="off" spellcheck="false" placeholder="10ec:8168" aria-describedby="found">
<p id="found" role="status" class="soft"></p>
</header>
<main>
${sections.filter((text) => text !== '').join('\n')}
</main>`;
  return staticPage({ title, body, style: STYLE, script: SCRIPT });
}

function section(group: GroupId, modules: readonly ServedModule[]): string {
  if (modules.length === 0) return '';
  const count = modules.reduce((sum, one) => sum + one.devices.length, 0);
  return `<section>
<h2>${GROUPS[group]} <span class="soft count">${count} ids, ${modules.length} drivers</span></h2>
${modules.map(moduleTable).join('\n')}
</section>`;
}

function moduleTable({ module, description, devices }: ServedModule): string {
  return `<details>
<summary><span class="mono driver">${escapeHtml(module)}</span> <span class="soft">${escapeHtml(description)}</span> <span class="count soft">${devices.length}</span></summary>
<table><thead><tr><th scope="col">Bus</th><th scope="col">Id</th><th scope="col">Vendor</th><th scope="col">Device</th></tr></thead>
<tbody>
${devices.map(row).join('\n')}
</tbody></table>
</details>`;
}

function row({ bus, id, only, vendor, name }: ServedDevice): string {
  const which = only === null ? '' : ` <span class="soft">(${escapeHtml(only)})</span>`;
  const cells = [bus, `<span class="mono">${escapeHtml(id)}</span>`, escapeHtml(vendor), escapeHtml(name) + which];
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

const STYLE = `
label{display:block;font-weight:600;margin-top:1.2rem}
input{font:inherit;width:100%;max-width:30rem;padding:.5rem .7rem;border:1px solid var(--soft);border-radius:.4rem;background:var(--paper);color:var(--ink)}
#found{min-height:1.5em;margin:.4rem 0 0}
header{border-bottom:1px solid var(--line);padding-bottom:.6rem}
.count{font-size:.85rem;font-weight:400}
details{border:1px solid var(--line);border-radius:.4rem;margin:.35rem 0;overflow-x:auto}
summary{padding:.4rem .7rem;cursor:pointer}summary:hover{background:var(--wash)}
.driver{font-weight:600}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th{text-align:left;color:var(--soft);font-weight:600}
th,td{padding:.22rem .7rem;border-top:1px solid var(--line);vertical-align:top}
td:first-child,th:first-child{width:4.5rem}td:nth-child(2),th:nth-child(2){width:13rem;overflow-wrap:anywhere}td:nth-child(3),th:nth-child(3){width:15rem}
[hidden]{display:none}
@media(max-width:40rem){td:nth-child(3),th:nth-child(3){display:none}td:nth-child(2),th:nth-child(2){width:8rem}}
`;

/** Without it the page is complete, and the browser's own search finds what is in it. */
const SCRIPT = `
const input = document.getElementById('search');
const found = document.getElementById('found');
const tables = [...document.querySelectorAll('details')].map((details) => ({
  details,
  head: details.querySelector('summary').textContent.toLowerCase(),
  rows: [...details.querySelectorAll('tbody tr')].map((row) => ({ row, text: row.textContent.toLowerCase() })),
}));
const asId = (text) => text.replace(/ven_([0-9a-f]{4})&dev_([0-9a-f]{4}).*/, '$1:$2').replace(/vid_([0-9a-f]{4})&pid_([0-9a-f]{4}).*/, '$1:$2').replace(/^(pci|usb)[\\\\\\\\/]+/, '');
function search() {
  const wanted = asId(input.value.trim().toLowerCase());
  const words = wanted.split(/\\s+/).filter(Boolean);
  let count = 0;
  for (const { details, head, rows } of tables) {
    let hits = 0;
    for (const { row, text } of rows) {
      const hit = words.every((word) => text.includes(word) || head.includes(word));
      row.hidden = !hit;
      if (hit) hits += 1;
    }
    details.hidden = hits === 0;
    details.open = words.length > 0 && hits > 0;
    count += hits;
  }
  for (const section of document.querySelectorAll('section')) section.hidden = !section.querySelector('details:not([hidden])');
  const known = count === 1 ? '1 device id' : count + ' device ids';
  found.textContent = words.length === 0 ? '' : count === 0 ? 'No driver in this image says that it serves “' + wanted + '”.' : known + ' found';
}
input.addEventListener('input', search);
search();
`;
