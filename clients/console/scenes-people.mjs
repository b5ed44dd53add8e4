// What an EMPLOYEE, and a person of another business, may see.

import { check, same, scene } from './harness.mjs';
import { placeholders } from './company.mjs';
import { AT, PAGES, path } from './words.mjs';

scene('an EMPLOYEE signs in and sees only its own', async w => {
  const demo = await w.demo();
  const { facts } = demo;
  const visitor = await w.visitor(demo, { expected: [/status of 40[34]/] });
  const others = [
    ...facts.system_users.map(user => user.name), facts.admin_system_user.name,
    ...facts.ad_accounts.map(account => account.name), facts.partner.business.name,
  ];
  await visitor.signInAs('jonas@alderpine.example');
  await w.step('the asset that is assigned to it is there, and no other', async () => {
    await visitor.goto(AT.home);
    same('the path', new URL(visitor.page.url()).pathname, AT.you);
    await visitor.main.getByRole('table').getByText(facts.pages[1].name).first().waitFor();
    const text = await visitor.page.content();
    for (const id of [facts.pages[0].id, facts.ad_accounts[0].account_id, facts.catalog.id]) {
      check(!text.includes(id), `the page has ${id} in it`);
    }
  });
  await w.step('it opens its own asset', async () => {
    same('HTTP status', (await visitor.goto(path(AT.asset, { ASSET: facts.pages[1].id }))).status(), 200);
  });
  await w.step('no page names what it may not see', async () => {
    const values = { ...(await placeholders(demo)), ASSET: facts.ad_accounts[0].account_id };
    for (const [name, address] of PAGES) {
      const response = await visitor.goto(path(address, values));
      check(response.status() < 500, `${name}: HTTP ${response.status()}`);
      const text = await visitor.page.content();
      const seen = others.find(one => text.includes(one.replaceAll('&', '&amp;')) || text.includes(one));
      check(!seen, `${name} names ${seen}`);
    }
  });
  await w.step('the navigation leads to nothing that answers with an error', async () => {
    await visitor.goto(AT.home);
    const links = await visitor.page.getByRole('navigation').first().getByRole('link')
      .evaluateAll(nodes => nodes.map(node => node.href));
    check(links.length > 0, 'there is no navigation');
    for (const link of links) same(`HTTP status of ${link}`, (await visitor.goto(link)).status(), 200);
  });
});

scene("a person of another business can't tell foreign ids from none", async w => {
  const demo = await w.demo();
  const { facts } = demo;
  const visitor = await w.visitor(demo, { expected: [/status of 404/] });
  await visitor.signInAs('priya@tailwind.example');
  const text = async address => {
    const response = await visitor.context.request.get(address);
    // The trace and the address that was asked for differ, and nothing else may.
    const asked = new URL(address, demo.origin).pathname.split('/')[3];
    return [response.status(), (await response.text()).replaceAll(asked, 'ID').replace(/trace[^<]*<[^>]*>[^<]*/gi, '')];
  };
  const cases = [
    [AT.systemUser, 'USER', facts.system_users[0].id], [AT.assign, 'USER', facts.system_users[0].id],
    [AT.token, 'USER', facts.system_users[0].id], [AT.asset, 'ASSET', facts.ad_accounts[0].account_id],
    [AT.app, 'APP', facts.app.id],
  ];
  for (const [address, name, id] of cases) {
    await w.step(`${address}: a foreign id answers as one never issued`, async () => {
      const never = `${BigInt(id) - 1n}`;
      const foreign = await text(path(address, { [name]: id }));
      same('HTTP status', foreign[0], 404);
      same('whether both answers are alike', foreign[1] === (await text(path(address, { [name]: never })))[1], true);
    });
  }
});
