// Keys pressed while a page is still being read are not lost: desk.js asks for them when it is ready.

window.early = JSON.parse(sessionStorage.getItem('early') ?? '[]');
sessionStorage.removeItem('early');
document.addEventListener('keydown', (event) => {
  if (!window.early || event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  window.early.push(event.key);
});
