// 本期: order, move, write; and how it will look while it is written.

import { listen, say, send, takeBack, tell } from './desk.js';

const issue = document.querySelector('.issue');
const parts = document.getElementById('parts');
const rendered = document.getElementById('rendered');
const markdown = document.getElementById('markdown');
const publish = document.getElementById('publish');
const open = issue.dataset.open === 'true';
const base = `/api/issues/${issue.dataset.day}`;

const entries = () => [...parts.querySelectorAll('.entry')];
const current = () => parts.querySelector('.entry[aria-current="true"]');
const name = (entry) => entry && (entry.dataset.story || entry.querySelector('textarea').defaultValue);

function look(entry, focus = true) {
  current()?.removeAttribute('aria-current');
  if (!entry) return;
  entry.setAttribute('aria-current', 'true');
  if (!focus) return;
  entry.focus({ preventScroll: true });
  entry.scrollIntoView({ block: 'nearest' });
}

function step(by) {
  const all = entries();
  look(all[Math.min(Math.max(all.indexOf(current()) + by, 0), all.length - 1)]);
}

// What was typed and not yet saved outlives whatever the server sends meanwhile.
function unsaved() {
  const typed = [];
  for (const field of parts.querySelectorAll('textarea[data-part]')) {
    if (field.value !== field.defaultValue) typed.push((fresh) => { const at = fresh.querySelector(`[data-part="${field.dataset.part}"]`); at.value = field.value; });
  }
  for (const entry of entries()) {
    const field = entry.querySelector('textarea');
    if (!field.hidden) typed.push((fresh) => { const same = [...fresh.querySelectorAll('.entry')].find((one) => one.dataset.story ? one.dataset.story === entry.dataset.story : name(one) === name(entry)); if (same) { unfold(same); same.querySelector('textarea').value = field.value; } });
  }
  return typed;
}

function show(told, at = name(current())) {
  if (told.preview !== undefined) rendered.innerHTML = told.preview;
  if (told.markdown !== undefined) markdown.textContent = told.markdown;
  if (told.html === undefined) return;
  const focused = document.activeElement?.dataset?.part;
  const typed = unsaved();
  parts.innerHTML = told.html;
  parts.dataset.order = told.order;
  for (const put of typed) put(parts);
  document.getElementById('items').textContent = entries().length;
  const again = entries().find((entry) => name(entry) === at);
  if (focused) parts.querySelector(`[data-part="${focused}"]`).focus();
  else if (again) look(again, !again.querySelector('textarea:not([hidden])'));
}

async function change(method, path, body, words) {
  const told = await send(method, `${base}/${path}?card=1`, body);
  show(told);
  if (told.error) tell(told.error, true);
  else if (words) tell(words);
  return told;
}

// ---- order

function move(entry, section, to) {
  return change('POST', 'moves', { position: Number(entry.dataset.position), section, to, seen: parts.dataset.order });
}

function nudge(by) {
  const entry = current();
  if (!open || !entry) return;
  const section = Number(entry.closest('.section').dataset.section);
  const place = Number(entry.dataset.place) + by;
  const mine = entry.closest('.section').querySelectorAll('.entry').length;
  const other = parts.querySelector(`[data-section="${section + by}"]`);
  if (place >= 0 && place < mine) move(entry, section, place);
  else if (other) move(entry, section + by, by > 0 ? 0 : other.querySelectorAll('.entry').length);
}

function toSection(number) {
  const entry = current();
  const section = parts.querySelector(`[data-section="${number}"]`);
  if (open && entry && section && section !== entry.closest('.section')) move(entry, number, section.querySelectorAll('.entry').length);
}

let dragged = null;
const clear = () => { for (const one of parts.querySelectorAll('.over, .over-before, .over-after')) one.classList.remove('over', 'over-before', 'over-after'); };

parts.addEventListener('dragstart', (event) => {
  dragged = event.target.closest?.('.entry');
  if (!dragged) return;
  event.dataTransfer.effectAllowed = 'move';
  event.dataTransfer.setData('text/plain', '');
  dragged.classList.add('dragged');
});
parts.addEventListener('dragend', () => { dragged?.classList.remove('dragged'); dragged = null; clear(); });
parts.addEventListener('dragover', (event) => {
  const over = dragged && event.target.closest('.entry, .section');
  if (!over) return;
  event.preventDefault();
  clear();
  if (over.classList.contains('section')) over.classList.add('over');
  else over.classList.add(below(event, over) ? 'over-after' : 'over-before');
});
parts.addEventListener('drop', (event) => {
  const over = dragged && event.target.closest('.entry, .section');
  if (!over) return;
  event.preventDefault();
  const section = over.closest('.section');
  const others = [...section.querySelectorAll('.entry')].filter((one) => one !== dragged);
  let to = others.length;
  if (over.classList.contains('entry')) to = over === dragged ? Number(dragged.dataset.place) : others.indexOf(over) + (below(event, over) ? 1 : 0);
  look(dragged, false);
  move(dragged, Number(section.dataset.section), to);
});

function below(event, entry) {
  const box = entry.getBoundingClientRect();
  return event.clientY > box.top + box.height / 2;
}

// ---- writing

function unfold(entry) {
  entry.draggable = false;
  entry.querySelector('.line').hidden = true;
  entry.querySelector('textarea').hidden = false;
}

function fold(entry) {
  entry.draggable = true;
  const field = entry.querySelector('textarea');
  field.value = field.defaultValue;
  field.hidden = true;
  entry.querySelector('.line').hidden = false;
  look(entry);
}

function edit(entry = current()) {
  if (!open || !entry) return;
  look(entry, false);
  unfold(entry);
  entry.querySelector('textarea').focus();
}

async function save(field) {
  const text = field.value;
  const entry = field.closest('.entry');
  if (entry) {
    const told = await send('PUT', `${base}/entries/${entry.dataset.position}?card=1`, { text, seen: entry.dataset.edition });
    if (!told.error) { field.hidden = true; field.defaultValue = text; }
    show(told, entry.dataset.story || text);
    if (told.error) tell(told.error, true);
    else tell(say('改好了'));
    return;
  }
  if (text === field.defaultValue) return;
  const told = await send('PUT', `${base}/parts/${field.dataset.part}?card=1`, { text, seen: field.dataset.edition });
  if (!told.error) field.defaultValue = text;
  show(told);
  if (told.error) tell(told.error, true);
  else tell(say('改好了'));
}

let soon;
parts.addEventListener('input', (event) => {
  const field = event.target.closest('textarea');
  if (!field) return;
  clearTimeout(soon);
  soon = setTimeout(async () => {
    const entry = field.closest('.entry');
    const which = entry ? { position: Number(entry.dataset.position) } : { part: field.dataset.part };
    const told = await send('POST', `${base}/preview`, { text: field.value, ...which });
    if (told.error) return;
    rendered.innerHTML = told.html;
    markdown.textContent = told.markdown;
  }, 150);
});

parts.addEventListener('keydown', (event) => {
  const field = event.target.closest('textarea');
  if (!field || event.isComposing || event.keyCode === 229) return;
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey || field.dataset.part === 'headline')) {
    event.preventDefault();
    if (field.dataset.part) field.blur();
    else save(field);
  }
  if (event.key === 'Escape') {
    event.preventDefault();
    if (field.dataset.part) { field.value = field.defaultValue; field.blur(); look(current() ?? entries()[0]); } else fold(field.closest('.entry'));
  }
});
parts.addEventListener('focusout', (event) => { if (event.target.dataset?.part && open) save(event.target); });

parts.addEventListener('focusin', (event) => {
  const entry = event.target.closest('.entry');
  if (entry && entry !== current()) look(entry, false);
});
parts.addEventListener('dblclick', (event) => { const entry = event.target.closest('.entry'); if (entry && !event.target.closest('textarea')) edit(entry); });
parts.addEventListener('click', (event) => { const entry = event.target.closest('.entry'); if (entry && entry !== current()) look(entry, !event.target.closest('textarea')); });

// ---- out and away

async function drop() {
  const entry = current();
  if (!open || !entry) return;
  const all = entries();
  const next = all[all.indexOf(entry) + 1] ?? all[all.indexOf(entry) - 1];
  look(next);
  const told = entry.dataset.story
    ? await send('POST', `/api/candidates/${entry.dataset.story}/decisions`, { action: 'drop', seen: entry.dataset.version || null })
    : await send('PUT', `${base}/entries/${entry.dataset.position}`, { text: '', seen: entry.dataset.edition });
  show(await send('GET', `${base}?card=1`));
  tell(told.error ?? say('不用了'), Boolean(told.error));
}

async function undo() {
  const told = await takeBack();
  if (told.error) { tell(told.error, true); return; }
  if (told.issue && told.issue !== issue.dataset.day) { location.assign(`/issue?date=${told.issue}`); return; }
  show(await send('GET', `${base}?card=1`), String(told.candidate?.id ?? name(current())));
  tell(say('撤回了：{0}', told.candidate?.title ?? told.issue));
}

async function put(out) {
  document.activeElement?.blur();
  const told = await send('POST', `${base}/export?card=1`, { publish: out });
  if (told.error) { tell(told.error, true); return; }
  if (out) { location.reload(); return; }
  show(told);
  tell(say(told.changed ? '已导出到 {0}' : '没有变化：{0}', told.path));
}

function ask() {
  if (!open) return;
  publish.returnValue = 'no';
  publish.showModal();
}
publish.addEventListener('close', () => { if (publish.returnValue === 'yes') put(true); });

function lookAs(which) {
  for (const one of document.querySelectorAll('[data-look]')) one.setAttribute('aria-pressed', String(one.dataset.look === which));
  rendered.hidden = which !== 'rendered';
  markdown.hidden = which !== 'markdown';
}

const write = (part) => () => { const field = parts.querySelector(`[data-part="${part}"]`); field.focus(); field.select(); };
const keys = {
  j: () => step(1),
  k: () => step(-1),
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  J: () => nudge(1),
  K: () => nudge(-1),
  e: () => edit(),
  Enter: () => edit(),
  x: drop,
  u: undo,
  h: write('headline'),
  d: write('guide'),
  w: write('preamble'),
  E: () => put(false),
  P: ask,
  m: () => lookAs(rendered.hidden ? 'rendered' : 'markdown'),
};
for (let number = 1; number <= 9; number++) keys[number] = () => toSection(number - 1);

for (const one of document.querySelectorAll('[data-look]')) one.addEventListener('click', () => lookAs(one.dataset.look));
document.querySelector('[data-do="export"]').addEventListener('click', () => put(false));
document.querySelector('[data-do="publish"]')?.addEventListener('click', ask);
document.getElementById('date')?.addEventListener('change', async (event) => {
  const told = await send('POST', `${base}/date`, { date: event.target.value });
  if (told.error) { tell(told.error, true); event.target.value = issue.dataset.day; } else location.assign(`/issue?date=${told.date}`);
});
addEventListener('beforeunload', (event) => { if (unsaved().length) event.preventDefault(); });
if (innerWidth >= 900) look(entries()[0]);
listen(keys); // last: what was pressed already is done now
