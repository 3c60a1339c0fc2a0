// 来源: switch, crawl, and see how far the crawl is.

import { elements, listen, say, send, tell } from './desk.js';

const body = document.querySelector('.sources tbody');
const said = document.getElementById('progress');
const bar = document.getElementById('bar');
const all = document.getElementById('crawl-all');
const rows = () => [...(body?.children ?? [])];
const current = () => document.activeElement?.closest?.('tr[data-id]');

function step(by) {
  const list = rows();
  const at = list.indexOf(current());
  const row = list[at < 0 ? 0 : Math.min(Math.max(at + by, 0), list.length - 1)];
  row?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: 'nearest' });
}

function show(told) {
  bar.hidden = !told.running;
  bar.max = told.sources.length || 1;
  bar.value = told.done.length;
  all.disabled = told.running;
  if (told.running) said.textContent = say('desk/crawling', { done: told.done.length, total: told.sources.length });
}

async function watch() {
  const told = await fetch('/api/crawl').then((answer) => answer.json()).catch(() => null);
  if (told && !told.error) show(told);
  if (told?.running ?? true) {
    setTimeout(watch, 800);
    return;
  }
  if (told.failed) {
    said.textContent = '';
    tell(told.failed, true);
    return;
  }
  location.reload();
}

async function crawl(sources) {
  const told = await send('POST', '/api/crawl', { sources });
  if (told.error) {
    tell(told.error, true);
    return;
  }
  show(told);
  watch();
}

async function toggle(row, enabled) {
  const told = await send('PUT', `/api/sources/${row.dataset.id}/enabled`, { enabled });
  if (told.error) {
    tell(told.error, true);
    return;
  }
  const [fresh] = elements(`<table><tbody>${told.html}</tbody></table>`)[0].tBodies[0].children;
  row.replaceWith(fresh);
  fresh.focus({ preventScroll: true });
}

body?.parentElement.addEventListener('click', (event) => {
  const pressed = event.target.closest('[data-do]');
  const row = event.target.closest('tr');
  if (!pressed) return;
  if (pressed.dataset.do === 'crawl') crawl([row.dataset.id]);
  else toggle(row, pressed.dataset.do === 'enable');
});
all.addEventListener('click', () => crawl([]));

const keys = {
  j: () => step(1),
  k: () => step(-1),
  r: () => current() && crawl([current().dataset.id]),
  c: () => all.disabled || crawl([]),
  t: () => current()?.querySelector('[data-do="enable"], [data-do="disable"]').click(),
};
for (const name of ['r', 'c', 't']) keys[name].once = true;
listen(keys);
if (said.dataset.running === 'true') watch();
