// The sign-in link that a server prints.

import { check, same, scene } from './harness.mjs';
import { press } from './path.mjs';
import { AT, PRESS, SAYS, path } from './words.mjs';

scene('the printed link signs in once', async w => {
  const demo = await w.demo();
  const link = demo.link();
  const visitor = await w.visitor(demo, { expected: [/status of 4\d\d/] });
  await w.step('the demo prints a link with a name, not an IP address', async () => {
    check(link, 'there is no link in what the demo printed');
    same('its host', new URL(link).hostname, 'localhost');
  });
  w.hide(new URL(link).searchParams.get('code'));
  await w.step('opened, it shows a button', async () => {
    same('HTTP status', (await visitor.goto(link)).status(), 200);
    await visitor.main.getByRole('button', { name: PRESS.signIn }).waitFor();
  });
  await w.step('opening it redeems nothing: others may open it too', async () => {
    for (const method of ['get', 'head']) {
      same(`HTTP status of ${method}`, (await visitor.context.request[method](link)).status(), 200);
    }
    same('cookies', (await visitor.context.cookies()).filter(cookie => cookie.name.startsWith('valetkey')), []);
  });
  await w.step('the button signs in, and the address has no code any more', async () => {
    await visitor.signIn(link);
    check(!visitor.page.url().includes('code='), visitor.page.url());
    await visitor.page.getByText('Mara Lindqvist').first().waitFor();
  });
  await w.step('the cookie is for this server alone, and no script can read it', async () => {
    const [cookie, ...others] = (await visitor.context.cookies()).filter(one => one.name.startsWith('valetkey'));
    same('further cookies', others.length, 0);
    same('name', cookie.name, `valetkey-${new URL(demo.origin).port}`);
    same('settings', [cookie.httpOnly, cookie.sameSite, cookie.path], [true, 'Lax', '/']);
    same('what scripts see', await visitor.page.evaluate(() => document.cookie), '');
  });
  await w.step('used a second time, it says that it was used', async () => {
    const other = await w.visitor(demo, { expected: [/status of 4\d\d/] });
    await other.goto(link);
    const button = other.main.getByRole('button', { name: PRESS.signIn });
    // Whether the page or the form says so is the console's choice.
    if (await button.isVisible()) await button.click();
    await other.main.getByText(SAYS.linkUsed).first().waitFor();
    same('cookies', (await other.context.cookies()).filter(cookie => cookie.name.startsWith('valetkey')), []);
  });
});

scene('whoever comes to a deep link without a session returns to it', async w => {
  const demo = await w.demo();
  const visitor = await w.visitor(demo);
  const [user] = demo.facts.system_users;
  const deep = path(AT.systemUser, { USER: user.id });
  await w.step('without a session, the deep link leads to sign-in', async () => {
    await visitor.goto(deep);
    same('the path', new URL(visitor.page.url()).pathname, AT.signIn);
    check(!(await visitor.page.content()).includes(user.name), 'the page names the system user');
  });
  await w.step('after sign-in, it is open', async () => {
    await visitor.signInAs('mara@alderpine.example', { returning: true });
    same('the path', new URL(visitor.page.url()).pathname, deep);
    await visitor.main.getByRole('heading', { name: user.name }).waitFor();
  });
  await w.step('an address elsewhere is never returned to', async () => {
    const other = await w.visitor(demo);
    for (const elsewhere of ['//elsewhere.example/', 'https://elsewhere.example/', '/\\elsewhere.example']) {
      await other.goto(`${AT.signIn}?return_to=${encodeURIComponent(elsewhere)}`);
      await other.signInAs('mara@alderpine.example', { returning: true });
      same('the origin', new URL(other.page.url()).origin, demo.origin);
    }
  });
  await w.step('signed out, the session is over for the server too', async () => {
    const state = await visitor.state();
    await visitor.goto(AT.home);
    // At the end of the navigation; the narrow page has another of the same name.
    await visitor.page.getByRole('navigation').getByRole('button', { name: 'Mara Lindqvist' }).click();
    await press(visitor.page, PRESS.signOut).click();
    await visitor.main.getByRole('heading', { name: SAYS.signedOut }).waitFor();
    const other = await w.visitor(demo, { state });
    await other.goto(AT.systemUsers);
    same('the path with the old cookie', new URL(other.page.url()).pathname, AT.signIn);
  });
});
