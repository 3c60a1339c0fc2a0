// What all pages of the desk share: asking the server, saying what happened, keys.

const words = JSON.parse(document.body.dataset.words);
let token = document.querySelector('meta[name="csrf"]').content;
const toast = document.getElementById('toast');
const help = document.getElementById('help');
let hiding;

export function say(code, values = {}) {
  return words[code].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export function tell(text, bad = false) {
  toast.textContent = text;
  toast.classList.toggle('bad', bad);
  toast.classList.add('shown');
  clearTimeout(hiding);
  hiding = setTimeout(() => toast.classList.remove('shown'), bad ? 6000 : 2500);
}

// Actions reach the server in the order in which they were made, one at a time; no page is left before they are there.
let line = Promise.resolve();

export function inLine(action) {
  const done = line.then(action);
  line = done.catch(() => undefined);
  return done;
}

export const send = (method, path, body) => inLine(() => ask(method, path, body));

// What somebody else overtook is told once; from then on it is passed over. For the line.
export async function takeBack(query = '') {
  const passed = JSON.parse(sessionStorage.getItem('passed') ?? '[]');
  const told = await ask('POST', `/api/undo${query}`, { passed });
  if (told.passed) sessionStorage.setItem('passed', JSON.stringify([...passed, told.passed].slice(-200)));
  return told;
}

let leaving = false;

export function go(address) {
  if (leaving) return;
  leaving = true;
  line.then(() => location.assign(address));
}

// A page with something unsaved asks before it is left; who stays goes on working.
export function guard(unsaved) {
  addEventListener('beforeunload', (event) => {
    if (!unsaved()) return;
    event.preventDefault();
    setTimeout(() => { leaving = false; });
  });
}

addEventListener('pageshow', (event) => { if (event.persisted) leaving = false; });

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[href^="/"]');
  if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(link.href);
});

function sent(method, path, body) {
  const headers = { 'X-CSRF-Token': token };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  return fetch(path, { method, headers, keepalive: true, body: body === undefined ? undefined : JSON.stringify(body) });
}

// The token is another one after a login elsewhere in this browser.
async function renewed() {
  const now = await fetch('/api/session').then((answer) => answer.json()).catch(() => ({}));
  if (!now.csrf || now.csrf === token) return false;
  token = now.csrf;
  return true;
}

// The session has ended: whoever logs in again goes on where they were, and nothing that was written is lost.
function logInAgain() {
  const dialog = document.getElementById('login');
  if (!dialog) { location.assign('/login?next=' + encodeURIComponent(location.pathname + location.search)); return false; }
  const form = dialog.querySelector('form');
  const wrong = dialog.querySelector('.wrong');
  const cursor = document.activeElement;
  wrong.hidden = true;
  form.elements.password.value = '';
  dialog.showModal();
  return new Promise((resolve) => {
    form.onsubmit = async (event) => {
      event.preventDefault();
      await renewed();
      const { name, password } = form.elements;
      const body = new URLSearchParams({ csrf: token, next: '/api/session', name: name.value, password: password.value });
      const answer = await fetch('/login', { method: 'POST', body }).catch(() => null);
      if (!answer?.ok) { wrong.hidden = false; password.select(); return; }
      await renewed();
      dialog.close('in');
    };
    dialog.onclose = () => {
      form.elements.password.value = '';
      cursor?.focus?.({ preventScroll: true });
      resolve(dialog.returnValue === 'in');
      dialog.returnValue = '';
    };
  });
}

// For what runs in the line already; all else is sent.
export async function ask(method, path, body) {
  let response;
  try {
    response = await sent(method, path, body);
    if (response.status === 403 && await renewed()) response = await sent(method, path, body);
  } catch {
    return { status: 0, error: say('desk/no-connection') };
  }
  while (response.status === 401 && await logInAgain()) {
    response = await sent(method, path, body).catch(() => response);
    if (response.status === 403 && await renewed()) response = await sent(method, path, body).catch(() => response);
  }
  const told = await response.json().catch(() => ({ error: String(response.status) }));
  return { status: response.status, ...told };
}

// HTML of our own server, whose templates escape whatever came from elsewhere.
export function elements(html) {
  const holder = document.createElement('template');
  holder.innerHTML = html;
  return [...holder.content.children];
}

export function typing(event) {
  const at = event.target;
  return at instanceof HTMLElement && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName));
}

const pages = { c: '/candidates', i: '/issue', s: '/sources', a: '/archive' };
let going = false;

// `keys` maps what a key is called to what it does; one that is `here` is meant for the page that it was pressed on. An input method that composes, a shortcut of the browser and a field
// that somebody types in are left alone. What is pressed while this page is left is meant for the next one.
export function listen(keys) {
  const press = (key, event) => {
    if (leaving) {
      if (keys[key]?.here) return true;
      sessionStorage.setItem('early', JSON.stringify([...JSON.parse(sessionStorage.getItem('early') ?? '[]'), key]));
      return true;
    }
    if (document.querySelector('dialog[open]') && !(help?.open && key === '?')) return false;
    if (going && pages[key]) {
      going = false;
      go(pages[key]);
      return true;
    }
    going = key === 'g';
    if (key === '?' && help) {
      if (help.open) help.close();
      else help.showModal();
      return true;
    }
    const act = keys[key];
    if (!act || (event?.repeat && act.once)) return false;
    act(event);
    return true;
  };
  document.addEventListener('keydown', (event) => {
    if (event.isComposing || event.keyCode === 229 || window.isShortcut(event)) return;
    if (typing(event)) {
      if (event.key === 'Escape' && event.target.type === 'search') event.target.blur();
      return;
    }
    if (event.key === 'Enter' && event.target.closest?.('a, button, summary')) return;
    if (press(window.keyOf(event), event)) event.preventDefault();
  });
  const early = window.early ?? [];
  window.early = null;
  for (const key of early) if (!keys[key]?.here) press(key, null);
}

// Whoever published sees in the foot of the page when the newsroom has learned from it.
const learning = document.getElementById('learning');
async function watchLearning() {
  if (learning?.dataset.state !== 'running') return;
  const told = await fetch('/api/learning').then((answer) => answer.json()).catch(() => null);
  if (told?.state) {
    learning.dataset.state = told.state;
    learning.textContent = told.text;
  }
  setTimeout(watchLearning, 1500);
}
watchLearning();

document.querySelector('[data-help]')?.addEventListener('click', () => help.showModal());
