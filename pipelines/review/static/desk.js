// What all pages of the desk share: asking the server, saying what happened, keys.

const words = JSON.parse(document.body.dataset.words);
const token = document.querySelector('meta[name="csrf"]').content;
const toast = document.getElementById('toast');
const help = document.getElementById('help');
let hiding;

export function say(text, ...values) {
  return (words[text] ?? text).replace(/\{(\d)\}/g, (_, at) => values[at]);
}

export function tell(text, bad = false) {
  toast.textContent = text;
  toast.classList.toggle('bad', bad);
  toast.classList.add('shown');
  clearTimeout(hiding);
  hiding = setTimeout(() => toast.classList.remove('shown'), bad ? 6000 : 2500);
}

// Actions reach the server in the order in which they were made, one at a time.
let line = Promise.resolve();

export function send(method, path, body) {
  const sent = line.then(() => ask(method, path, body));
  line = sent.catch(() => undefined);
  return sent;
}

async function ask(method, path, body) {
  const headers = { 'X-CSRF-Token': token };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    return { status: 0, error: say('没有连上：请再试一次') };
  }
  if (response.status === 401) location.assign('/login?next=' + encodeURIComponent(location.pathname + location.search));
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

// `keys` maps what a key is called to what it does. An input method that composes, a shortcut of the browser and a field
// that somebody types in are left alone.
export function listen(keys) {
  document.addEventListener('keydown', (event) => {
    if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event)) {
      if (event.key === 'Escape' && event.target.type === 'search') event.target.blur();
      return;
    }
    if (help?.open && event.key !== '?') return;
    if (going && pages[event.key]) {
      event.preventDefault();
      location.assign(pages[event.key]);
      return;
    }
    going = event.key === 'g';
    if (event.key === '?') {
      event.preventDefault();
      if (help.open) help.close();
      else help.showModal();
      return;
    }
    const act = keys[event.key];
    if (act && !(event.repeat && act.once)) {
      event.preventDefault();
      act(event);
    }
  });
}

document.querySelector('[data-help]')?.addEventListener('click', () => help.showModal());
