// Every page: for axe, for the keyboard, for its weight, and for pictures.

import { placeholders } from './company.mjs';
import { check, same, scene } from './harness.mjs';
import { look } from './look.mjs';
import { newcomer, walk } from './path.mjs';
import { AT, PAGES, path } from './words.mjs';

const MOST_BYTES = 100_000;
const DARK = ['no-app', 'token-once'];

scene('every page, looked at', async w => {
  const demo = await w.demo();
  const visitor = await w.visitor(demo);
  await visitor.signInAs('mara@alderpine.example');
  const values = await placeholders(demo);
  for (const [name, address, options] of PAGES) {
    const where = path(address, values);
    const opened = await w.step(`${name}: it opens, and weighs under 100 KB`, async () => {
      const { bytes, status } = await visitor.weigh(where);
      same('HTTP status', status, 200);
      w.note(`${name} ${where}: ${(bytes / 1000).toFixed(1)} KB`);
      check(bytes < MOST_BYTES, `${bytes} bytes came over the wire`);
      same('the path', new URL(visitor.page.url()).pathname, new URL(where, demo.origin).pathname);
      await visitor.main.getByRole('heading', { level: 1 }).waitFor();
    });
    if (opened) await look(w, visitor, name, options);
  }
});

scene('the pages for strangers, looked at', async w => {
  const demo = await w.demo();
  const visitor = await w.visitor(demo, { expected: [/status of 404/] });
  await visitor.goto(AT.signIn);
  await look(w, visitor, 'sign-in', { dark: true });
  await visitor.goto(demo.linkOf(await demo.codeFor('jonas@alderpine.example')));
  await look(w, visitor, 'sign-in-link');
  await visitor.signInAs('jonas@alderpine.example');
  await visitor.goto(AT.home);
  await look(w, visitor, 'employee-home');
  await w.step('an address without a page answers 404, with a page', async () => {
    same('HTTP status', (await visitor.goto('/console/nowhere')).status(), 404);
  });
  await look(w, visitor, 'not-found');
});

scene('the pages of the main path, looked at', async (w, s) => {
  const { visitor } = await newcomer(w);
  // Looking moves the focus, so the pages are loaded again, but for those that are shown once.
  const once = ['app-secret', 'token-once'];
  const see = async name => {
    await look(w, visitor, name, { dark: DARK.includes(name) });
    if (!once.includes(name)) await visitor.page.reload();
  };
  await walk(w, s, visitor, visitor.mouse, { see });
});
