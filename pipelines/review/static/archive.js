// 归档: only the keys that all pages have, and the way into the search.

import { inLine, listen, say, takeBack, tell } from './desk.js';

const search = document.querySelector('input[type="search"]');

listen({
  '/': () => search?.focus(),
  u: async () => {
    const told = await inLine(() => takeBack());
    tell(told.error ?? say('desk/undone', { title: told.candidate?.title ?? told.part }), Boolean(told.error));
  },
});
