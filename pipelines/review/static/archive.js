// 归档: only the keys that all pages have, and the way into the search.

import { listen, send, say, tell } from './desk.js';

const search = document.querySelector('input[type="search"]');

listen({
  '/': () => search?.focus(),
  u: async () => {
    const told = await send('POST', '/api/undo', {});
    tell(told.error ?? say('撤回了：{0}', told.candidate?.title ?? told.issue), Boolean(told.error));
  },
});
