// 候选: leaf through the list, decide, edit, take back. The server decides what is so; the page only shows it sooner.

import { ask, elements, guard, inLine, listen, say, send, takeBack, tell } from './desk.js';

const list = document.getElementById('list');
const none = document.getElementById('none');
const news = document.getElementById('news');
const more = document.getElementById('more');
const search = document.querySelector('.filters input[type="search"]');
const filters = new URLSearchParams(location.search);
filters.set('category', list.dataset.category);

let newest = Number(list.dataset.mark);
let rest = Number(list.dataset.rest);
const upto = newest;
let cameSince = 0;
const follower = new Map(); // where a card stood that has left: the id of the element behind it

const said = { pick: 'desk/picked', drop: 'desk/dropped', later: 'desk/put-off' };

const cards = () => [...list.querySelectorAll(':scope > .card')]; // the line 「到这里通常够了」 stands among them
const current = () => list.querySelector('[aria-current="true"]');
const asked = (more_) => { const all = new URLSearchParams(filters); for (const [name, value] of Object.entries(more_)) all.set(name, value); return all.toString(); };

function look(card, focus = true) {
  const before = current();
  if (before && before !== card) before.removeAttribute('aria-current');
  if (!card) return;
  card.setAttribute('aria-current', 'true');
  if (focus) {
    card.focus({ preventScroll: true });
    const box = card.querySelector('.line').getBoundingClientRect();
    const top = document.querySelector('.bar').getBoundingClientRect().bottom;
    if (box.top < top || box.bottom > innerHeight) card.querySelector('.line').scrollIntoView({ block: box.top < top ? 'start' : 'nearest' });
  }
  if (cards().indexOf(card) >= cards().length - 6) fetchMore();
}

let owed = 0; // steps beyond the last card that is loaded: they are taken when the next cards are there

function step(by) {
  const all = cards().filter((card) => !card.classList.contains('pending'));
  const at = all.indexOf(current());
  owed = rest && by > 0 ? owed + Math.max(at + by - all.length + 1, 0) : 0;
  look(all[Math.min(Math.max(at + by, 0), all.length - 1)]);
}

// A card leaves the list when it is no more what the list shows.
function belongs(card) {
  const state = list.dataset.state;
  return (state === 'all' || card.dataset.state === state) && (!list.dataset.category || card.dataset.category === list.dataset.category);
}

function leave(card) {
  follower.set(card.dataset.id, card.nextElementSibling?.id ?? null);
  const all = cards();
  const at = all.indexOf(card);
  if (card === current()) look(all[at + 1] ?? all[at - 1]);
  card.remove();
  none.hidden = all.length > 1;
  if (all.length === 1) fetchMore();
}

// What somebody writes in a card and has not saved.
const writing = (card) => [...card?.querySelectorAll('.editor textarea') ?? []].some((field) => field.value !== field.defaultValue);

function put(html, saved = false) {
  const [fresh] = elements(html);
  const stands = document.getElementById(fresh.id);
  if (stands) {
    const looked = stands === current();
    const written = !saved && writing(stands);
    if (written) {
      fresh.querySelector('.words').hidden = true;
      fresh.querySelector('.words').after(stands.querySelector('.editor'));
    }
    stands.replaceWith(fresh);
    if (!written && !belongs(fresh)) {
      if (looked) look(fresh, false);
      leave(fresh);
    } else if (looked) look(fresh);
    return fresh;
  }
  if (!belongs(fresh)) return null;
  const behind = follower.get(fresh.dataset.id);
  const place = behind && document.getElementById(behind);
  if (place) place.before(fresh);
  else if (behind === null) list.append(fresh);
  else list.prepend(fresh);
  none.hidden = true;
  return fresh;
}

function showTabs(tabs) {
  for (const tab of tabs ?? []) {
    const link = document.querySelector(`[data-tab="${CSS.escape(tab.name)}"]`);
    if (!link) continue;
    link.querySelector('b').textContent = tab.count;
    link.querySelector('small').textContent = tab.said;
    link.classList.toggle('full', tab.full);
  }
}

// A decision moves what is alike: the cards below the one looked at take the order of the server at once. A card that
// came up from further down than the page has loaded is loaded with the next ones.
let order = [];

function arrange(ranked) {
  if (ranked) order = ranked.map(([id]) => String(id));
  if (!order.length) return;
  for (const [id, score] of ranked ?? []) {
    const shown = document.querySelector(`#s${id} .score`);
    if (shown) shown.textContent = score.toFixed(1);
  }
  const rank = new Map(order.map((id, index) => [id, index]));
  const all = cards();
  const below = all.slice(all.indexOf(current()) + 1).filter((card) => rank.has(card.dataset.id) && !card.classList.contains('pending') && !writing(card));
  const sorted = below.toSorted((one, other) => rank.get(one.dataset.id) - rank.get(other.dataset.id));
  if (sorted.every((card, index) => card === below[index])) return;
  const places = below.map((card) => { const place = document.createComment(''); card.before(place); return place; });
  sorted.forEach((card, index) => places[index].replaceWith(card));
}

async function act(card, path, method, body, words, adding = true) {
  const { id } = card.dataset;
  const told = await inLine(() => { // the version that the action before this one left
    const { version } = (document.getElementById(card.id) ?? card).dataset;
    return ask(method, `/api/candidates/${id}/${path}?card=1&${filters}`, { ...body, seen: version });
  });
  card.classList.remove('pending');
  const shown = show(told, adding);
  if (!current()) look(shown?.isConnected ? shown : cards()[0]);
  if (told.error) fail(card, told.error);
  else tell(words);
  return told;
}

// A failure names its story, and the cursor goes back to it: of several failures, to the first one.
function fail(card, reason) {
  const now = document.getElementById(card.id);
  const all = cards();
  if (now && !(all.indexOf(current()) < all.indexOf(now))) look(now, !document.activeElement?.closest('.editor'));
  tell(say('desk/failed', { title: card.querySelector('h3').textContent.trim(), reason }), true);
}

// What the server told of one story or of several. A story that became part of another has no card of its own any more.
// Without `adding`, stories that have no card yet get none: they are where the list has them.
function show(told, adding = true) {
  let shown = null;
  if (told.html) {
    const { id, articles } = told.candidate;
    const parts = articles.map((article) => document.getElementById(`s${article.id}`)).filter(Boolean);
    const stays = parts.find((card) => card === current()) ?? parts.find((card) => card.dataset.id === String(id)) ?? parts[0];
    for (const card of parts) if (card !== stays) leave(card);
    if (stays && stays.dataset.id !== String(id)) { // the joint story stands where its part was looked at
      follower.set(stays.dataset.id, stays.nextElementSibling?.id ?? null);
      stays.id = `s${id}`;
      stays.dataset.id = id;
    }
    shown = put(told.html);
  }
  for (const other of told.others ?? []) if (adding || document.getElementById(`s${other.candidate.id}`)) put(other.html);
  arrange(told.order);
  showTabs(told.tabs);
  return shown;
}

// No action takes away what is being written.
function held(card) {
  if (!writing(card)) return false;
  card.querySelector('.editor textarea').focus();
  tell(say('desk/unsaved'), true);
  return true;
}

function decide(action, category) {
  const card = current();
  if (!card || card.classList.contains('pending') || held(card)) return;
  const body = category ? { action, category } : { action };
  const goes = action !== 'categorise' || (list.dataset.category && category !== card.dataset.category);
  if (goes) {
    card.classList.add('pending');
    const all = cards().filter((one) => !one.classList.contains('pending'));
    const behind = cards().slice(cards().indexOf(card)).find((one) => all.includes(one));
    look(behind ?? all.at(-1));
  }
  act(card, 'decisions', 'POST', body, category ? say('desk/moved-to', { category }) : say(said[action]));
}

async function undo() {
  const told = await inLine(() => takeBack(`?card=1&${filters}`));
  const card = show(told, told.action !== 'split');
  if (card?.isConnected) look(card);
  if (told.error) tell(told.error, true);
  else tell(say('desk/undone', { title: told.candidate?.title ?? told.part }));
}

// ---- one story of two, two of one

function mark(card) {
  for (const one of list.querySelectorAll('.marked')) one.classList.remove('marked');
  if (card) sessionStorage.setItem('marked', card.dataset.id);
  else sessionStorage.removeItem('marked');
  card?.classList.add('marked');
}

function merge() {
  const card = current();
  const marked = sessionStorage.getItem('marked');
  if (!card) return;
  if (!marked || marked === card.dataset.id) {
    mark(marked ? null : card);
    if (!marked) tell(say('desk/marked'));
    return;
  }
  if (held(card) || held(document.getElementById(`s${marked}`))) return;
  mark(null);
  act(card, 'merges', 'POST', { others: [Number(marked)] }, say('desk/merged'));
}

function split(leaving = []) {
  const card = current();
  if (card && !held(card)) act(card, 'splits', 'POST', { leaving }, say('desk/split-done'));
}

// ---- is it the same event? The answer is about the first story that is offered, or the one whose button was pressed.

async function answer(same, offered = current()?.querySelector('[data-offered]:not(.pending)')) {
  const card = current();
  if (!offered || offered.classList.contains('pending') || held(card)) return;
  const id = Number(offered.dataset.offered);
  if (same && held(document.getElementById(`s${id}`))) return;
  offered.classList.add('pending');
  if (same) await act(card, 'merges', 'POST', { others: [id] }, say('desk/merged'));
  else await act(card, 'refusals', 'POST', { others: [id] }, say('desk/told-apart'), false);
  offered.classList.remove('pending');
}

// The entry links the page that the reports point to: the first one, or the one whose button was pressed.
function relink(button = current()?.querySelector('[data-do="relink"]')) {
  const card = current();
  if (button && !held(card)) act(card, 'link', 'PUT', { url: button.dataset.url }, say('desk/linked'));
}

// ---- editing in place

function edit() {
  const card = current();
  const place = card?.querySelector('.words');
  if (!place || card.querySelector('.editor')) return;
  const form = document.getElementById('editor').content.firstElementChild.cloneNode(true);
  const { title, summary, cancel } = form.elements;
  title.defaultValue = card.querySelector('.details h2').textContent.trim();
  summary.defaultValue = [...card.querySelectorAll('.summary p:not(.none)')].map((line) => line.textContent.trim()).join('\n');
  place.hidden = true;
  place.after(form);
  const mine = () => form.closest('.card'); // another one, where the server sent it anew
  const close = () => { const at = mine(); form.remove(); at.querySelector('.words').hidden = false; at.focus({ preventScroll: true }); };
  cancel.addEventListener('click', close);
  form.addEventListener('keydown', (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'Escape') { event.preventDefault(); close(); }
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); }
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const at = mine();
    const told = await send('PUT', `/api/candidates/${at.dataset.id}/entry?card=1&${filters}`, { title: title.value, summary: summary.value, seen: at.dataset.version });
    if (told.status === 200) {
      put(told.html, true);
      tell(say('desk/saved'));
      return;
    }
    if (told.status === 409) { // what was typed stays; the next save knows what it replaces
      const [fresh] = elements(told.html);
      mine().dataset.version = fresh.dataset.version;
      form.querySelector('.conflict')?.remove();
      const box = document.getElementById('conflict').content.firstElementChild.cloneNode(true);
      box.querySelector('pre').textContent = [fresh.querySelector('.details h2'), ...fresh.querySelectorAll('.summary p:not(.none)')].map((line) => line.textContent.trim()).join('\n');
      form.append(box);
    }
    tell(say('desk/failed', { title: at.querySelector('h3').textContent.trim(), reason: told.error }), true);
  });
  title.focus();
}

// ---- pages of picked stories that are being fetched: their cards are read again until they came

async function watchPages() {
  for (const card of document.hidden ? [] : [...list.querySelectorAll('.card:has([data-fetching])')]) {
    const answer = await send('GET', `/api/candidates/${card.dataset.id}?card=1&${filters}`);
    if (answer.html && card.isConnected) put(answer.html);
  }
}
setInterval(watchPages, 2000);

function preview(card = current()) {
  const shown = card?.querySelector('.previewed');
  if (shown) { shown.remove(); return; }
  const asks = card?.querySelector('[data-do="preview"]');
  if (!asks) return;
  const frame = document.createElement('iframe');
  frame.className = 'preview';
  frame.setAttribute('sandbox', '');
  frame.referrerPolicy = 'no-referrer';
  frame.src = `/articles/${asks.dataset.article}/preview`;
  const pictures = document.createElement('button');
  pictures.type = 'button';
  pictures.textContent = say('desk/show-pictures');
  pictures.addEventListener('click', () => { frame.src += '?images=1'; pictures.remove(); });
  const box = document.createElement('div');
  box.className = 'previewed';
  box.append(frame, pictures);
  card.querySelector('.words').after(box);
}

// ---- more of the list, and what came since

let fetching = false;

// Whoever scrolls with a mouse or a finger gets the next cards before the end of the list is on the screen.
const end = new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) fetchMore(); }, { rootMargin: '50%' });

async function fetchMore() {
  if (fetching || !rest) return;
  fetching = true;
  const before = cards().length;
  const listed = cards().filter((card) => Number(card.dataset.id) <= upto && !card.classList.contains('pending')).length;
  const unlisted = order.findIndex((id) => Number(id) <= upto && !document.getElementById(`s${id}`));
  const first = unlisted < 0 ? listed : Math.min(listed, unlisted);
  const response = await fetch(`/candidates/more?${asked({ first, upto })}`).catch(() => null);
  if (response?.ok) {
    rest = Number(response.headers.get('X-Rest'));
    for (const part of elements(await response.text())) if (!document.getElementById(part.id)) list.append(part);
    more.parentElement.hidden = !rest;
    document.getElementById('rest').textContent = rest;
    none.hidden = cards().length > 0;
    if (!current()) look(cards()[0]);
    arrange();
  }
  fetching = false;
  const steps = owed;
  owed = 0;
  if (cards().length === before) return; // else it would ask again and again for the same
  end.unobserve(more);
  end.observe(more); // it tells only of changes, and the end may still be near
  if (steps) step(steps);
}

async function lookForNews() {
  if (document.hidden) return;
  const told = await fetch(`/api/candidates/news?${asked({ after: newest })}`).then((answer) => answer.json()).catch(() => null);
  cameSince = told?.count ?? 0;
  news.hidden = !cameSince;
  news.textContent = say('desk/new-candidates', { count: cameSince });
}

async function takeNews() {
  if (!cameSince) return;
  const response = await fetch(`/candidates/more?${asked({ after: newest, limit: 200 })}`).catch(() => null);
  if (!response?.ok) return;
  newest = Number(response.headers.get('X-Mark'));
  const looked = current();
  const before = looked?.getBoundingClientRect().top;
  const fresh = elements(await response.text()).filter((card) => !document.getElementById(card.id));
  list.prepend(...fresh);
  if (looked) scrollBy(0, looked.getBoundingClientRect().top - before);
  else look(cards()[0]);
  none.hidden = cards().length > 0;
  news.hidden = true;
  cameSince = 0;
}

// ---- keys and clicks

function tab(by) {
  const all = [...document.querySelectorAll('[data-tab]')];
  const at = all.findIndex((one) => one.hasAttribute('aria-current'));
  all[(at + by + all.length) % all.length]?.click();
}

const categories = [...document.querySelectorAll('[data-tab]')].map((one) => one.dataset.tab);
const keys = {
  j: () => step(1),
  k: () => step(-1),
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  a: () => decide('pick'),
  b: () => { if (list.dataset.briefs) decide('pick', list.dataset.briefs); },
  x: () => decide('drop'),
  l: () => decide('later'),
  u: undo,
  e: edit,
  o: () => current()?.querySelector('[data-original]')?.click(),
  p: () => preview(),
  n: takeNews,
  m: merge,
  s: () => split(),
  y: () => answer(true),
  N: () => answer(false),
  w: () => relink(),
  Escape: () => mark(null),
  '/': () => search.focus(),
  '[': () => tab(-1),
  ']': () => tab(1),
};
for (const name of ['a', 'b', 'x', 'l', 'u', 'm', 's', 'y', 'N', 'w']) keys[name].once = true;
for (let number = 1; number <= Math.min(categories.length, 9); number++) keys[number] = () => decide('categorise', categories[number - 1]);

list.addEventListener('click', (event) => {
  const card = event.target.closest('.card');
  if (!card) return;
  if (card !== current()) look(card);
  const pressed = event.target.closest('[data-do]');
  if (!pressed) return;
  const action = pressed.dataset.do;
  if (action === 'edit') edit();
  else if (action === 'fetch') act(card, 'page', 'POST', {}, say('desk/page-fetching'));
  else if (action === 'preview') preview(card);
  else if (action === 'merge') merge();
  else if (action === 'split') split();
  else if (action === 'join' || action === 'refuse') answer(action === 'join', pressed.closest('[data-offered]'));
  else if (action === 'relink') relink(pressed);
  else if (action === 'leave') split([Number(pressed.dataset.article)]);
  else decide(action, pressed.dataset.to);
});
list.addEventListener('focusin', (event) => {
  const card = event.target.closest('.card');
  if (card && card !== current()) look(card, false);
});
more.addEventListener('click', fetchMore);
end.observe(more);
news.addEventListener('click', takeNews);
for (const one of document.querySelectorAll('.filters select')) one.addEventListener('change', () => one.form.requestSubmit());
guard(() => cards().some(writing));
setInterval(lookForNews, Number(list.dataset.every) * 1000);
document.getElementById(`s${sessionStorage.getItem('marked')}`)?.classList.add('marked');
if (innerWidth >= 900) look(cards()[0]);
listen(keys); // last: what was pressed already is done now
