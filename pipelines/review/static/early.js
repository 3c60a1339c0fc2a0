// Keys pressed while a page is still being read are not lost: desk.js asks for them when it is ready.

// The key as it is named on the keyboard: Caps Lock makes no `J` of a `j`.
window.keyOf = (event) => {
  if (!/^[a-z]$/i.test(event.key) || !event.getModifierState('CapsLock')) return event.key;
  return event.shiftKey ? event.key.toUpperCase() : event.key.toLowerCase();
};

// A shortcut of the browser. Many keyboards write [ and ] with AltGr, which is Ctrl and Alt on Windows and Alt on a Mac.
window.isShortcut = (event) => {
  if (!event.ctrlKey && !event.metaKey && !event.altKey) return false;
  const mark = event.key.length === 1 && !/[\p{L}\p{N}\s]/u.test(event.key);
  return event.metaKey || !mark || !(event.altKey || event.getModifierState('AltGraph'));
};

window.early = JSON.parse(sessionStorage.getItem('early') ?? '[]');
sessionStorage.removeItem('early');
document.addEventListener('keydown', (event) => {
  if (!window.early || event.isComposing || event.keyCode === 229 || window.isShortcut(event)) return;
  if (event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  window.early.push(window.keyOf(event));
});
