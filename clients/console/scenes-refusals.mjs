// A refused call is found by its trace, and what was missing is granted.

import { check, same, scene } from './harness.mjs';
import { CONTENT, onward, press, saveChanges, tickable } from './path.mjs';
import { Program, refused } from './sdk.mjs';
import { AT, PRESS, SAYS, path } from './words.mjs';

/** Loads a page until it shows something: refusals reach the journal a moment after the answer. */
async function until(visitor, element, address) {
  const deadline = Date.now() + 10_000;
  for (;;) {
    await visitor.goto(address);
    if ((await element().count()) > 0) return;
    check(Date.now() < deadline, `${address} doesn't show it within 10 s`);
  }
}

scene('a refusal is found by its trace, and granted', async (w, s) => {
  const demo = await w.demo();
  const { system_users: [poster], pages: [, rides] } = demo.facts;
  const visitor = await w.visitor(demo, { expected: [/status of 404/] });
  await visitor.signInAs('mara@alderpine.example');
  const program = new Program(demo, poster.token);
  let granted = false;
  await w.step('the call is refused, and the answer has a trace', async () => {
    const call = () => program.publish(rides.id, 'not yet');
    const error = await refused(call, { code: 200, reason: 'asset_not_assigned' });
    s.trace = error.fbtrace_id;
    check(s.trace, 'the error has no fbtrace_id');
  });
  await w.step('the list of refusals finds it by its trace', async () => {
    const link = () => visitor.main.locator(`a[href*="${s.trace}"]`);
    await until(visitor, link, AT.refusals);
    await visitor.main.getByRole('searchbox').or(visitor.main.getByRole('textbox')).first().fill(s.trace);
    await visitor.page.keyboard.press('Enter');
    await visitor.page.waitForURL(url => url.href.includes(s.trace));
    if (!visitor.page.url().includes(`/refusals/${s.trace}`)) await link().first().click();
    await visitor.page.waitForURL(url => url.pathname === path(AT.refusal, { TRACE: s.trace }));
  });
  await w.step('its page says in a sentence who could not do what, and why', async () => {
    const title = await visitor.main.getByRole('heading').filter({ hasText: poster.name }).first().innerText();
    for (const part of [poster.name, rides.name]) check(title.includes(part), `${part} is not in: ${title}`);
    await visitor.main.getByText(SAYS.stillRefused).first().waitFor();
  });
  await w.step('Grant this opens the assignment with the missing task set', async () => {
    await onward(visitor, () => press(visitor.main, PRESS.grantThis).click());
    same('the path', new URL(visitor.page.url()).pathname, path(AT.assign, { USER: poster.id }));
    check(await tickable(visitor.main, new RegExp(`^${rides.name}`)).isChecked(), 'the Page is not ticked');
    check(await tickable(visitor.main, CONTENT).isChecked(), 'Content is not switched on');
  });
  await w.step('saved, the same call passes', async () => {
    await saveChanges(visitor, visitor.mouse);
    check(await program.publish(rides.id, 'now I may'), 'the SDK got no id');
    granted = true;
  });
  await w.step('the refusal says that it would pass now', async () => {
    await visitor.goto(path(AT.refusal, { TRACE: s.trace }));
    await visitor.main.getByText(SAYS.wouldPass).first().waitFor();
    same('Grant this', await press(visitor.main, PRESS.grantThis).count(), 0);
  });
  if (granted) await demo.verb('assignment', 'unassign', rides.id, poster.id);
});
