// Requests and names that mean no good.

import { createServer } from 'node:http';
import { changed, own, read, send } from './forms.mjs';
import { check, same, scene } from './harness.mjs';
import { placeholders } from './company.mjs';
import { field, onward } from './path.mjs';
import { AT, FIELD, PAGES, PRESS, path } from './words.mjs';

const MARA = 'mara@alderpine.example';
/** How many system users of the business have a name. */
async function named(demo, name) {
  const { rows } = await demo.verb('system-user', 'list', '--business', demo.facts.business.id);
  return rows.filter(user => user.name === name).length;
}

/** The form that creates a system user, filled in and not sent. */
async function filled(visitor, name) {
  await visitor.goto(AT.newSystemUser);
  await field(visitor.main, FIELD.name).fill(name);
  return read(visitor, PRESS.createSystemUser);
}

scene('without a session every page leads to sign-in, and nothing is done', async w => {
  const demo = await w.demo();
  const { facts } = demo;
  const visitor = await w.visitor(demo);
  const values = await placeholders(demo);
  await w.step('pages redirect, and name nothing', async () => {
    for (const [name, address] of PAGES) {
      const where = path(address, values);
      const response = await visitor.context.request.get(where, { maxRedirects: 0 });
      same(`HTTP status of ${name}`, response.status(), 303);
      check(new URL(response.headers().location, demo.origin).pathname === AT.signIn, `${name} leads elsewhere`);
      check(!(await response.text()).includes(facts.business.name), `${name} names the business`);
    }
  });
  const admin = await w.visitor(demo);
  await admin.signInAs(MARA);
  const name = w.unique('made by nobody');
  const form = await filled(admin, name);
  await w.step('a form that was sent without a session does nothing', async () => {
    const response = await send(visitor, form, own(demo));
    check([303, 401, 403].includes(response.status()), `HTTP status ${response.status()}`);
    same('system users of that name', await named(demo, name), 0);
  });
  await w.step('nor with a cookie that was made up', async () => {
    const cookie = `valetkey-${new URL(demo.origin).port}=vkeyus_${'A'.repeat(39)}`;
    const response = await send(visitor, form, { ...own(demo), Cookie: cookie });
    check([303, 401, 403].includes(response.status()), `HTTP status ${response.status()}`);
    same('system users of that name', await named(demo, name), 0);
  });
});

scene('a form from elsewhere is refused', async w => {
  const demo = await w.demo();
  const visitor = await w.visitor(demo, { expected: [/status of 403/, /foreign host/] });
  await visitor.signInAs(MARA);
  const name = w.unique('made from elsewhere');
  const form = await filled(visitor, name);
  const { origin } = demo;
  for (const [title, headers] of [
    ['neither Origin nor Sec-Fetch-Site', {}],
    ['a foreign Origin', { Origin: 'https://elsewhere.example' }],
    ['the Origin null', { Origin: 'null' }],
    ['the IP address as Origin', { Origin: demo.base }],
    ['another port of this host', { Origin: `${origin}1`, 'Sec-Fetch-Site': 'same-site' }],
    ['the right Origin, sent from another site', { Origin: origin, 'Sec-Fetch-Site': 'cross-site' }],
  ]) {
    await w.step(`with ${title}: 403`, async () => {
      same('HTTP status', (await send(visitor, form, headers)).status(), 403);
      same('system users of that name', await named(demo, name), 0);
    });
  }
  await w.step('a page on another port can not send it with this browser either', async () => {
    const fields = form.fields.map(([key, value]) => `<input type="hidden" name="${key}" value="${value}">`).join('');
    const page = `<form method="post" action="${form.action}">${fields}<button>Win a bicycle</button></form>`;
    const trap = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end(page));
    await new Promise(done => trap.listen(0, '127.0.0.1', done));
    try {
      await visitor.goto(`http://localhost:${trap.address().port}/`);
      const answer = visitor.page.waitForResponse(response => response.request().method() === 'POST');
      await visitor.page.getByRole('button').click();
      same('HTTP status', (await answer).status(), 403);
    } finally {
      trap.closeAllConnections?.();
      await new Promise(done => trap.close(done));
    }
    same('system users of that name', await named(demo, name), 0);
  });
});

scene('a form that is sent twice acts once', async w => {
  const demo = await w.demo();
  const visitor = await w.visitor(demo, { expected: [/status of 4\d\d/] });
  await visitor.signInAs(MARA);
  const name = w.unique('made once');
  const form = await filled(visitor, name);
  await w.step('both at the same time', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => send(visitor, form, own(demo))));
    check(answers.every(answer => answer.status() < 500), 'the server failed');
    same('system users of that name', await named(demo, name), 1);
  });
  await w.step('and replayed later, with another name', async () => {
    const other = w.unique('made by a replay');
    await send(visitor, changed(form, { name: other }), own(demo));
    same('system users of that name', await named(demo, other), 0);
  });
  await w.step("a form that another person sent is not used up", async () => {
    const other = w.unique('made with a borrowed form');
    const priya = await w.visitor(demo, { expected: [/status of 4\d\d/] });
    await priya.signInAs('priya@tailwind.example');
    const borrowed = await filled(visitor, other);
    // If it does anything, then in her own business, as her.
    await send(priya, borrowed, own(demo));
    same('system users of that name', await named(demo, other), 0);
    await send(visitor, borrowed, own(demo));
    same('system users of that name, once it was sent by its owner', await named(demo, other), 1);
  });
});

scene('names with markup and from right to left are only names', async w => {
  const demo = await w.demo();
  const visitor = await w.visitor(demo, { expected: [/status of 4\d\d/] });
  await visitor.signInAs(MARA);
  const dialogs = [];
  visitor.page.on('dialog', dialog => {
    dialogs.push(dialog.message());
    dialog.dismiss();
  });
  const markup = `<img src=x onerror=alert(1)>"'&amp;<b>${w.unique('bold')}</b>`;
  const hebrew = w.unique('רובוט <script>alert(2)</script>');
  for (const name of [markup, hebrew]) {
    await w.step(`created and listed as it was typed: ${name.slice(0, 12)}…`, async () => {
      await filled(visitor, name);
      await onward(visitor, () => visitor.main.getByRole('button', { name: PRESS.createSystemUser }).click());
      same('the title', await visitor.main.getByRole('heading', { level: 1 }).locator('bdi').first().innerText(), name);
      for (const address of [AT.systemUsers, AT.access, AT.activity]) {
        await visitor.goto(address);
        await visitor.main.getByText(name).first().waitFor();
        const elements = visitor.main.locator('img[src=x], bdi b, bdi script');
        same(`elements in the name, at ${address}`, await elements.count(), 0);
      }
    });
  }
  await w.step('a name that turns the text round is refused, and what was typed is kept', async () => {
    const name = 'safe\u202Eelif';
    await filled(visitor, name);
    await onward(visitor, () => visitor.main.getByRole('button', { name: PRESS.createSystemUser }).click());
    check((await visitor.page.title()).startsWith('Error'), `the title is ${await visitor.page.title()}`);
    same('the field', await field(visitor.main, FIELD.name).inputValue(), name);
    same('system users of that name', await named(demo, name), 0);
  });
  await w.step('no script ran', async () => {
    same('dialogs', dialogs, []);
  });
});
