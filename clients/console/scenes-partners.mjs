// A Page is shared with a partner, used from its side, and the share is ended.

import { check, same, scene } from './harness.mjs';
import { INSIGHTS, field, onward, press, tickTask } from './path.mjs';
import { Program, refused } from './sdk.mjs';
import { AT, FIELD, PRESS, SAYS, path } from './words.mjs';

scene('an asset is shared with a partner, seen from its side, and taken back', async (w, s) => {
  const demo = await w.demo();
  const { partner, pages: [, rides] } = demo.facts;
  const ours = await w.visitor(demo);
  await ours.signInAs('mara@alderpine.example');
  const theirs = await w.visitor(demo, { expected: [/status of 404/] });
  await theirs.signInAs('priya@tailwind.example');
  const there = path(AT.asset, { ASSET: rides.id });
  await w.step("before, the partner's side doesn't know the asset", async () => {
    same('HTTP status', (await theirs.goto(there)).status(), 404);
  });
  await w.step('the Page is shared up to one task, and the change is shown before', async () => {
    await ours.goto(AT.partners);
    await onward(ours, () => press(ours.main, PRESS.shareAssets).click());
    await ours.mouse.type(field(ours.main, FIELD.business), partner.business.id);
    await tickTask(ours, ours.mouse, rides.name, INSIGHTS);
    await onward(ours, () => ours.main.getByRole('button', { name: PRESS.review, exact: true }).click());
    await ours.main.getByText(/^Added$/).first().waitFor();
    await onward(ours, () => ours.main.getByRole('button', { name: PRESS.share }).click());
    same('the path', new URL(ours.page.url()).pathname, path(AT.partner, { PARTNER: partner.business.id }));
    await ours.main.getByRole('heading', { name: partner.business.name }).waitFor();
    await ours.main.getByText(rides.name).first().waitFor();
  });
  await w.step("on the partner's side it is there, with its owner and the cap", async () => {
    await theirs.goto(path(AT.assets, { KIND: 'page' }));
    await theirs.main.getByText(rides.name).first().waitFor();
    await theirs.main.getByText(demo.facts.business.name).first().waitFor();
    same('HTTP status', (await theirs.goto(there)).status(), 200);
    await theirs.main.getByText(/Insights/).first().waitFor();
  });
  await w.step("the partner's program reads it", async () => {
    s.program = new Program(demo, partner.admin_token);
    same('the id', (await s.program.read(rides.id)).id, rides.id);
  });
  await w.step('before the share ends, the page lists what will stop', async () => {
    await ours.goto(path(AT.partner, { PARTNER: partner.business.id }));
    const row = ours.main.getByRole('row').filter({ hasText: rides.name });
    await onward(ours, () => press(row, PRESS.endInRow).click());
    await ours.main.getByRole('heading', { name: SAYS.whatStops }).waitFor();
    check((await ours.main.innerText()).includes(rides.name), 'the page does not name the asset');
  });
  await w.step('ended, it is gone from the other side, and its program is refused', async () => {
    await onward(ours, () => ours.main.getByRole('button', { name: PRESS.stopSharing }).click());
    await ours.main.getByText(SAYS.shareEnded).first().waitFor();
    same('HTTP status', (await theirs.goto(there)).status(), 404);
    await refused(() => s.program.read(rides.id), { code: 100 });
  });
});
