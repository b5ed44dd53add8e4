// What was shown once, and what was changed meanwhile.

import { check, same, scene } from './harness.mjs';
import { INSIGHTS, field, isGone, onward, shownOnce, tickTask } from './path.mjs';
import { AT, FIELD, PRESS, SAYS, TOKEN, path } from './words.mjs';

const MARA = 'mara@alderpine.example';

/** Generates a token for a system user of the demo. */
async function tokenOf(w, visitor, user, purpose) {
  await visitor.goto(path(AT.token, { USER: user }));
  await visitor.main.getByLabel(FIELD.purpose).fill(purpose);
  await onward(visitor, () => visitor.main.getByRole('button', { name: PRESS.generateToken }).click());
  const token = TOKEN.exec(await shownOnce(visitor, FIELD.token))?.[0];
  check(token, 'the page shows no token');
  return w.hide(token);
}

const NOTHING = 'chrome-error://chromewebdata/';

/** Goes back, to whatever is shown there: the browser's own page, since it never sends a form again unasked. */
async function back({ page }) {
  const from = page.url();
  await page.goBack({ waitUntil: 'load' }).catch(async error => {
    if (!/ERR_CACHE_MISS|ERR_ABORTED/.test(error.message)) throw error;
    await page.waitForURL(NOTHING);
  });
  check(page.url() !== from, 'going back leads nowhere');
  await page.waitForLoadState('load');
}

scene('the back button never brings a secret back', async w => {
  const demo = await w.demo();
  const [poster] = demo.facts.system_users;
  for (const backForward of [false, true]) {
    const visitor = await w.visitor(demo, { backForward, expected: [/status of 409/, /ERR_CACHE_MISS/] });
    await visitor.signInAs(MARA);
    await w.step(`${backForward ? 'with' : 'without'} the browser's cache of pages`, async () => {
      const token = await tokenOf(w, visitor, poster.id, w.unique('Back button'));
      await visitor.goto(AT.systemUsers);
      await back(visitor);
      await isGone(visitor, token, 'the page after going back');
      await visitor.goto(AT.systemUsers);
      await back(visitor);
      await isGone(visitor, token, 'the page after going back again');
    });
    await w.step('a token is made once, though its page is opened again', async () => {
      const purpose = w.unique('Reloaded');
      await tokenOf(w, visitor, poster.id, purpose);
      const before = (await demo.verb('token', 'list', '--user', poster.id)).rows.length;
      await visitor.page.reload();
      same('tokens', (await demo.verb('token', 'list', '--user', poster.id)).rows.length, before);
    });
  }
});

scene('a form that is out of date overwrites nothing', async w => {
  const demo = await w.demo();
  const { system_users: [poster], pages: [cycles] } = demo.facts;
  const visitor = await w.visitor(demo, { expected: [/status of 4(09|22)/] });
  await visitor.signInAs(MARA);
  const tasks = async () => {
    const { rows } = await demo.verb('assignment', 'list', '--user', poster.id);
    return rows.find(row => row.asset === cycles.id)?.tasks.slice().sort();
  };
  const before = await tasks();
  await w.step('what somebody else saved meanwhile stays, and the page says so', async () => {
    await visitor.goto(path(AT.assign, { USER: poster.id }));
    await tickTask(visitor, visitor.mouse, 'Alder & Pine Cycles', INSIGHTS);
    const save = visitor.main.getByRole('button', { name: PRESS.saveChanges });
    await save.waitFor();
    await demo.verb('assignment', 'assign', cycles.id, poster.id, 'MESSAGING');
    await onward(visitor, () => save.click());
    await visitor.main.getByText(SAYS.meanwhile).first().waitFor();
    same('the tasks', await tasks(), ['MESSAGING']);
  });
  await demo.verb('assignment', 'assign', cycles.id, poster.id, before.join(','));
});

scene('a session that ends in the middle of a form keeps what was typed', async w => {
  const demo = await w.demo();
  const visitor = await w.visitor(demo, { expected: [/status of 401/] });
  await visitor.signInAs(MARA);
  const name = w.unique('Typed before the end');
  await visitor.goto(AT.newSystemUser);
  await visitor.main.getByLabel(FIELD.name).first().fill(name);
  await visitor.context.clearCookies();
  await w.step('the form answers that the session ended, and saves nothing', async () => {
    await onward(visitor, () => visitor.main.getByRole('button', { name: PRESS.createSystemUser }).click());
    await visitor.main.getByRole('heading', { name: SAYS.sessionEnded }).waitFor();
  });
  await w.step('after sign-in in another tab, the form is there again with the name', async () => {
    const waiting = visitor.page;
    await visitor.newPage();
    await visitor.signInAs(MARA);
    visitor.page = waiting;
    await onward(visitor, () => visitor.main.getByRole('button', { name: PRESS.goOn }).click());
    same('the name', await field(visitor.main, FIELD.name).inputValue(), name);
    const { rows } = await demo.verb('system-user', 'list', '--business', demo.facts.business.id);
    same('system users of that name', rows.filter(user => user.name === name).length, 0);
  });
});
