// 本期: order, move, write; and how it will look while it is written.

import { ask, go, guard, inLine, listen, say, send, takeBack, tell } from './desk.js';

const issue = document.querySelector('.issue');
const parts = document.getElementById('parts');
const rendered = document.getElementById('rendered');
const markdown = document.getElementById('markdown');
const publish = document.getElementById('publish');
const open = issue.dataset.open === 'true';
const correcting = issue.dataset.correcting === 'true';
const writable = open || correcting;
const shown = correcting ? 'card=1&correcting=1' : 'card=1';
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

// An entry as it stands now, whatever the server sent since.
const same = (entry) => entries().find((one) => name(one) === name(entry));

// What was typed and not yet saved outlives whatever the server sends meanwhile. Where the server's text is another than
// the one that was written over, somebody else changed it: one of the two has to be chosen, unless this page saved it.
function unsaved(saved) {
  const typed = [];
  const keep = (field, fresh) => {
    if (conflictOf(field) !== saved && fresh.defaultValue !== field.defaultValue && field.value !== field.defaultValue) {
      conflicts.set(conflictOf(fresh), fresh.dataset.part ? { part: fresh.dataset.part } : { entry: name(fresh.closest('.entry')) });
    }
    fresh.value = field.value;
  };
  for (const field of parts.querySelectorAll('textarea[data-part]')) {
    if (field.value !== field.defaultValue) typed.push(() => keep(field, parts.querySelector(`[data-part="${field.dataset.part}"]`)));
  }
  for (const entry of entries()) {
    const field = entry.querySelector('textarea');
    if (field.hidden) continue;
    typed.push(() => {
      const now = same(entry);
      if (now) { unfold(now); keep(field, now.querySelector('textarea')); }
      else if (field.value !== field.defaultValue) orphans.set(name(entry), { section: sectionName(entry), text: field.value });
    });
  }
  return typed;
}

// The field that somebody writes in, found again with the cursor in its place.
function hand() {
  const field = document.activeElement;
  if (!parts.contains(field) || field.tagName !== 'TEXTAREA') return () => false;
  const { selectionStart, selectionEnd, scrollTop } = field;
  const entry = field.closest('.entry');
  return () => {
    const now = entry ? same(entry)?.querySelector('textarea:not([hidden])') : parts.querySelector(`[data-part="${field.dataset.part}"]`);
    if (!now) return false;
    now.focus({ preventScroll: true });
    now.setSelectionRange(selectionStart, selectionEnd);
    now.scrollTop = scrollTop;
    return true;
  };
}

// What was being written in an entry that somebody else took out meanwhile: it stands above until it is chosen or left.
const orphans = new Map();
const sectionName = (entry) => entry.closest('.section').dataset.name;

function showOrphans() {
  for (const [id, orphan] of orphans) {
    const box = document.getElementById('orphan').content.firstElementChild.cloneNode(true);
    box.querySelector('pre').textContent = orphan.text;
    box.querySelector('[data-choose="leave"]').addEventListener('click', () => { orphans.delete(id); box.remove(); });
    box.querySelector('[data-choose="add"]').addEventListener('click', () => inLine(async () => {
      const answer = await ask('POST', `${base}/entries?card=1`, orphan);
      if (answer.error) { tell(answer.error, true); return; }
      orphans.delete(id);
      await show(answer, orphan.text);
      tell(say('desk/entry-added'));
    }));
    parts.prepend(box);
  }
}

// What an input method composes would be lost with its field.
let composed = Promise.resolve();
parts.addEventListener('compositionstart', () => { composed = new Promise((done) => parts.addEventListener('compositionend', done, { once: true })); });

// What somebody else wrote into a field that is being written in: it stands beside it until one of the two is chosen.
const conflicts = new Map();
const fieldOf = (key) => (key.part ? parts.querySelector(`[data-part="${key.part}"]`) : entries().find((one) => name(one) === key.entry)?.querySelector('textarea'));

function showConflicts() {
  for (const box of parts.querySelectorAll('.conflict')) box.remove();
  for (const [id, conflict] of conflicts) {
    const field = fieldOf(conflict);
    if (!field || field.value === field.defaultValue) { conflicts.delete(id); continue; }
    const box = document.getElementById('conflict').content.firstElementChild.cloneNode(true);
    box.querySelector('pre').textContent = field.defaultValue;
    box.querySelector('[data-choose="theirs"]').addEventListener('click', () => { conflicts.delete(id); box.remove(); field.value = field.defaultValue; field.focus(); field.dispatchEvent(new Event('input', { bubbles: true })); });
    box.querySelector('[data-choose="mine"]').addEventListener('click', () => { conflicts.delete(id); box.remove(); save(field); });
    field.after(box);
  }
}

const conflictOf = (field) => (field.dataset.part ? field.dataset.part : `entry ${name(field.closest('.entry'))}`);

async function show(told, at = name(current()), saved = undefined) {
  await composed;
  if (told.preview !== undefined) rendered.innerHTML = told.preview;
  if (told.markdown !== undefined) markdown.textContent = told.markdown;
  if (told.acts !== undefined) document.getElementById('acts').innerHTML = told.acts;
  if (told.html === undefined) return;
  const found = hand();
  const typed = unsaved(saved);
  parts.innerHTML = told.html;
  parts.dataset.order = told.order;
  for (const put of typed) put();
  document.getElementById('items').textContent = entries().length;
  const again = entries().find((entry) => name(entry) === at);
  if (again) look(again, false);
  showConflicts();
  showOrphans();
  if (!found() && again && !again.querySelector('textarea:not([hidden])')) look(again);
}

// ---- order

// Where an entry goes is looked up when its turn comes: `aim` says section and place from where it stands then.
function move(entry, aim) {
  return inLine(async () => {
    const now = same(entry);
    const target = now && aim(now);
    if (!target) return;
    const told = await ask('POST', `${base}/moves?card=1`, { position: Number(now.dataset.position), ...target, seen: parts.dataset.order });
    await show(told);
    if (told.error) fail(entry, told.error);
  });
}

// A failure names what it was about, and the cursor goes back there, unless somebody is writing.
function fail(entry, reason) {
  const now = same(entry);
  if (now) look(now, document.activeElement?.tagName !== 'TEXTAREA');
  tell(say('desk/failed', { title: entry.getAttribute('aria-label'), reason }), true);
}

const sized = (section) => section.querySelectorAll('.entry').length;

function nudge(by) {
  if (!open || !current()) return;
  move(current(), (entry) => {
    const mine = entry.closest('.section');
    const section = Number(mine.dataset.section);
    const to = Number(entry.dataset.place) + by;
    if (to >= 0 && to < sized(mine)) return { section, to };
    const other = parts.querySelector(`[data-section="${section + by}"]`);
    return other && { section: section + by, to: by > 0 ? 0 : sized(other) };
  });
}

// The sections are numbered as the candidates' page numbers its categories; the one-liners have a key of their own.
function toSection(key) {
  if (!open || !current()) return;
  move(current(), (entry) => {
    const section = parts.querySelector(`[data-key="${key}"]`);
    return section && section !== entry.closest('.section') && { section: Number(section.dataset.section), to: sized(section) };
  });
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
  move(dragged, () => ({ section: Number(section.dataset.section), to }));
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
  entry.querySelector('[data-do="divide"]')?.removeAttribute('hidden');
}

function fold(entry) {
  entry.draggable = open;
  const field = entry.querySelector('textarea');
  field.value = field.defaultValue;
  field.hidden = true;
  entry.querySelector('[data-do="divide"]')?.setAttribute('hidden', '');
  entry.querySelector('.line').hidden = false;
  look(entry);
}

function edit(entry = current()) {
  if (!writable || !entry) return;
  look(entry, false);
  unfold(entry);
  entry.querySelector('textarea').focus();
}

function save(field) {
  const text = field.value;
  const entry = field.closest('.entry');
  const { part } = field.dataset;
  if (!entry && text === field.defaultValue) return undefined;
  const title = entry ? entry.getAttribute('aria-label') : field.labels[0].textContent;  // a page made anew has another field
  return inLine(async () => {
    if (conflicts.has(conflictOf(field))) { tell(say('desk/choose-first'), true); return; }
    const fresh = () => (entry ? (same(entry) ?? entry).querySelector('textarea') : parts.querySelector(`[data-part="${part}"]`));
    const now = entry && (same(entry) ?? entry);
    const put = (one) => (one
      ? ask('PUT', `${base}/entries/${one.dataset.position}?card=1`, { text, seen: one.dataset.edition, correcting })
      : ask('PUT', `${base}/parts/${part}?card=1`, { text, seen: fresh().dataset.edition, correcting }));
    let told = await put(now);
    if (entry && told.status === 409 && told.html) {  // perhaps it was only moved
      await show(told);
      const moved = same(entry);
      if (moved?.querySelector('textarea').defaultValue === field.defaultValue) told = await put(moved);
    }
    if (entry && told.status === 404) await show(await ask('GET', `${base}?${shown}`));  // taken out, and it was the last
    await composed;
    const written = fresh();
    if (!told.error) {
      if (entry && written.value === text) written.hidden = true;
      written.defaultValue = text;
    }
    await show(told, entry ? entry.dataset.story || text : undefined, conflictOf(field));
    const kept = told.status === 409 && fresh();
    if (kept && kept.value !== kept.defaultValue) {
      conflicts.set(conflictOf(kept), kept.dataset.part ? { part } : { entry: name(kept.closest('.entry')) });
      showConflicts();
    }
    tell(told.error ? say('desk/failed', { title, reason: told.error }) : say('desk/saved'), Boolean(told.error));
  });
}

// One post may give two entries: what stands behind the cursor becomes an entry of its own.
function divide(field) {
  const entry = field.closest('.entry');
  const text = field.value.slice(0, field.selectionStart);
  const second = field.value.slice(field.selectionStart);
  if (!open || !text.trim() || !second.trim()) { tell(say('desk/divide-where'), true); field.focus(); return undefined; }
  const title = entry.getAttribute('aria-label');
  return inLine(async () => {
    const now = same(entry) ?? entry;
    const answer = await ask('POST', `${base}/entries/${now.dataset.position}/splits?card=1`, { text, second, seen: now.dataset.edition });
    if (!answer.error) fold(entry);
    await show(answer, name(now));
    tell(answer.error ? say('desk/failed', { title, reason: answer.error }) : say('desk/entry-divided'), Boolean(answer.error));
  });
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
    else if (event.shiftKey) divide(field);
    else save(field);
  }
  if (event.key === 'Escape') {
    event.preventDefault();
    if (field.dataset.part) { field.value = field.defaultValue; field.blur(); look(current() ?? entries()[0]); } else fold(field.closest('.entry'));
  }
});
parts.addEventListener('focusout', (event) => { if (event.target.dataset?.part && writable) save(event.target); });

parts.addEventListener('focusin', (event) => {
  const entry = event.target.closest('.entry');
  if (entry && entry !== current()) look(entry, false);
});
parts.addEventListener('dblclick', (event) => { const entry = event.target.closest('.entry'); if (entry && !event.target.closest('textarea')) edit(entry); });
parts.addEventListener('click', (event) => { const button = event.target.closest('[data-do="divide"]'); if (button) divide(button.closest('.entry').querySelector('textarea')); });
parts.addEventListener('click', (event) => { const button = event.target.closest('[data-propose]'); if (button) propose(button.dataset.propose)(); });
parts.addEventListener('click', (event) => { const entry = event.target.closest('.entry'); if (entry && entry !== current()) look(entry, !event.target.closest('textarea')); });

// ---- an entry behind which no article stands; what is written stays in the form until it is added

const composer = document.getElementById('compose');
const fields = composer?.querySelector('form');
const composing = () => Boolean(fields) && ['title', 'source', 'url', 'url2', 'summary'].some((field) => fields.elements[field].value !== '');

function compose() {
  if (!open || !composer) return;
  const section = current()?.closest('.section');
  if (section && !composing()) fields.elements.section.selectedIndex = Number(section.dataset.section);
  composer.showModal();
  fields.elements.title.focus();
}

async function addEntry(event) {
  event.preventDefault();
  const { section, title, source, url, label, url2, summary } = fields.elements;
  const links = url2.value ? [{ label: label.value, url: url2.value }] : [];
  const body = { section: section.value, title: title.value, source: source.value, url: url.value, links, summary: summary.value };
  const answer = await send('POST', `${base}/entries?card=1`, body);
  const wrong = fields.querySelector('.wrong');
  wrong.textContent = answer.error ?? '';
  wrong.hidden = !answer.error;
  if (answer.error) { fields.elements.title.focus(); return; }
  fields.reset();
  composer.close();
  await show(answer);
  look(entries()[answer.position]);
  tell(say('desk/entry-added'));
}
fields?.addEventListener('submit', addEntry);
fields?.addEventListener('keydown', (event) => {
  if (event.isComposing || event.keyCode === 229 || event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  fields.requestSubmit();
});
fields?.elements.cancel.addEventListener('click', () => composer.close());
document.querySelector('[data-do="compose"]')?.addEventListener('click', compose);

// ---- pages of picked stories that are being fetched: the issue is read again until they came

let looking = null;
function watchPages() {
  if (looking || !parts.querySelector('[data-fetching]')) return;
  looking = setTimeout(async () => {
    looking = null;
    if (!document.hidden) await inLine(async () => { const answer = await ask('GET', `${base}?card=1`); if (!answer.error) await show(answer); });
    watchPages();
  }, 1500);
}
parts.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-fetch]');
  if (!button) return;
  await send('POST', `/api/candidates/${button.dataset.fetch}/page`, {});
  await inLine(async () => show(await ask('GET', `${base}?card=1`)));
  watchPages();
});

// ---- out and away

async function drop() {
  const entry = current();
  if (!open || !entry) return;
  const all = entries();
  const next = all[all.indexOf(entry) + 1] ?? all[all.indexOf(entry) - 1];
  look(next);
  await inLine(async () => {
    const now = same(entry) ?? entry;
    const told = now.dataset.story
      ? await ask('POST', `/api/candidates/${now.dataset.story}/decisions`, { action: 'drop', seen: now.dataset.version || null })
      : await ask('PUT', `${base}/entries/${now.dataset.position}`, { text: '', seen: now.dataset.edition });
    if (told.status) await show(await ask('GET', `${base}?card=1`));
    if (told.error) fail(entry, told.error);
    else tell(say('desk/dropped'));
  });
}

function undo() {
  return inLine(async () => {
    const told = await takeBack();
    if (told.error) { tell(told.error, true); return; }
    const otherPage = told.issue && (told.issue !== issue.dataset.day || told.action === 'state' || told.action === 'issue');
    if (otherPage) { location.assign(`/issue?date=${told.issue}`); return; }
    await show(await ask('GET', `${base}?${shown}`), String(told.candidate?.id ?? name(current())));
    tell(say('desk/undone', { title: told.candidate?.title ?? told.part }));
  });
}

// No issue goes out without what is being written.
function held() {
  const field = [...parts.querySelectorAll('.entry textarea')].find((one) => one.value !== one.defaultValue)
    ?? (orphans.size ? parts.querySelector('[data-choose="add"]') : undefined);
  field?.focus();
  if (field) tell(say('desk/unsaved'), true);
  return Boolean(field);
}

async function put(out) {
  if (held()) return;
  document.activeElement?.blur();
  const told = await send('POST', `${base}/export?card=1`, { publish: out });
  if (told.error) { tell(say('desk/failed', { title: issue.dataset.day, reason: told.error }), true); return; }
  if (out) { location.assign(`/issue?date=${issue.dataset.day}`); return; }
  show(told);
  tell(say(told.changed ? 'desk/exported-to' : 'desk/unchanged', { path: told.path }));
}

// Enter is on 定稿 only if nothing would break on the page.
function askFirst() {
  if (!open || held()) return;
  const findings = document.getElementById('findings');
  const broken = Number(findings.dataset.errors) > 0;
  const list = document.getElementById('publish-findings');
  list.replaceChildren(findings.content.cloneNode(true));
  list.hidden = !list.children.length;
  const errors = document.getElementById('errors');
  errors.textContent = findings.dataset.text ?? '';
  errors.hidden = !broken;
  publish.returnValue = 'no';
  publish.showModal();
  publish.querySelector(`button[value="${broken ? 'no' : 'yes'}"]`).focus();
}

function askBefore(dialog, path, arrived) {
  if (!dialog || held()) return;
  dialog.returnValue = 'no';
  dialog.showModal();
  dialog.onclose = async () => {
    if (dialog.returnValue !== 'yes') return;
    const told = await send('POST', `${base}/${path}`, {});
    if (told.error) tell(say('desk/failed', { title: issue.dataset.day, reason: told.error }), true);
    else go(arrived);
  };
}
const remove = () => askBefore(document.getElementById('delete'), 'deletion', '/candidates');
const unpublish = () => askBefore(document.getElementById('unpublish'), 'unpublishing', `/issue?date=${issue.dataset.day}`);
publish.addEventListener('close', () => { if (publish.returnValue === 'yes') put(true); });

function lookAs(which) {
  for (const one of document.querySelectorAll('[data-look]')) one.setAttribute('aria-pressed', String(one.dataset.look === which));
  rendered.hidden = which !== 'rendered';
  markdown.hidden = which !== 'markdown';
}

const write = (part) => () => { const field = parts.querySelector(`[data-part="${part}"]`); field.focus(); field.select(); };

// A start for what is still blank; what somebody wrote stays.
const propose = (part) => () => {
  const field = parts.querySelector(`[data-part="${part}"]`);
  field.focus();
  if (!writable || field.value.trim() || !field.dataset.proposal) return;
  field.value = field.dataset.proposal;
  field.dispatchEvent(new Event('input', { bubbles: true }));
};
const keys = {
  j: () => step(1),
  k: () => step(-1),
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  J: () => nudge(1),
  K: () => nudge(-1),
  e: () => edit(),
  Enter: () => edit(),
  b: () => toSection('b'),
  n: compose,
  x: drop,
  u: undo,
  h: write('headline'),
  d: write('guide'),
  w: write('preamble'),
  H: propose('headline'),
  D: propose('guide'),
  E: () => put(false),
  P: askFirst,
  C: () => document.querySelector('[data-correct]')?.click(),
  m: () => lookAs(rendered.hidden ? 'rendered' : 'markdown'),
};
for (const key of ['x', 'u', 'E', 'P']) keys[key].once = true;
// A digit may be the rest of a date that has just been changed: for two seconds it moves nothing.
const redated = sessionStorage.getItem('redated') === issue.dataset.day;
sessionStorage.removeItem('redated');
let changingDate = false;
for (let number = 1; number <= 9; number++) {
  keys[number] = () => { if (!changingDate && !(redated && performance.now() < 2000)) toSection(number); };
  keys[number].here = true;
}

for (const one of document.querySelectorAll('[data-look]')) one.addEventListener('click', () => lookAs(one.dataset.look));
document.querySelector('[data-do="export"]').addEventListener('click', () => put(false));
document.querySelector('[data-do="publish"]')?.addEventListener('click', askFirst);
document.querySelector('[data-do="delete"]')?.addEventListener('click', remove);
document.querySelector('[data-do="unpublish"]')?.addEventListener('click', unpublish);

// A date is meant when the field is left or Enter is pressed: a browser reports each digit as a change.
const date = document.getElementById('date');
async function redate() {
  if (!date.value || date.value === issue.dataset.day) { date.value = issue.dataset.day; return; }
  if (!date.validity.valid) { tell(date.validationMessage, true); date.value = issue.dataset.day; return; }
  changingDate = true;
  const told = await send('POST', `${base}/date`, { date: date.value });
  if (told.error) {
    changingDate = false;
    tell(told.error, true);
    date.value = issue.dataset.day;
    return;
  }
  sessionStorage.setItem('redated', told.date);
  go(`/issue?date=${told.date}`);
}
date?.addEventListener('blur', redate);
date?.addEventListener('keydown', (event) => {
  if (event.key === 'Enter') { event.preventDefault(); date.blur(); }
  if (event.key === 'Escape') { date.value = issue.dataset.day; date.blur(); }
});
guard(() => composing() || orphans.size > 0 || [...parts.querySelectorAll('textarea')].some((field) => field.value !== field.defaultValue));
watchPages();
if (innerWidth >= 900) look(entries()[0]);
listen(keys); // last: what was pressed already is done now
