// The main path: from the empty page to a working token, as one person walks it.
//
// It is written once, and walked with the mouse, with the keyboard alone, and with
// script switched off. Each act waits for what it leads to, never for a time.

import { check } from './harness.mjs';
import { AT, FIELD, PRESS, SAYS, TABLE, TOKEN, path } from './words.mjs';

export const APP = 'Publisher';
export const USER = 'Nightly posts';
export const ASSET = 'Our Page';
/** What a task is called on pages. */
export const CONTENT = /^Content\b/;
export const INSIGHTS = /^Insights\b/;
export const SCOPES = ['pages_manage_posts', 'pages_read_engagement', 'pages_show_list'];

/** A button, or a link that looks like one. */
export const press = (within, name, exact = typeof name === 'string') =>
  within.getByRole('button', { name, exact }).or(within.getByRole('link', { name, exact })).first();

/** A box or a switch. */
export const tickable = (within, name) =>
  within.getByRole('checkbox', { name }).or(within.getByRole('switch', { name })).first();

/** A field by its label; a page may have a search field of a similar name, so only the main part counts. */
export const field = (within, label) => within.getByLabel(label).first();

const isThere = element => element.isVisible();

/** Runs an act, and waits until another page is shown. The address may be the same: a form's answer. */
export async function onward(visitor, act) {
  const { page } = visitor;
  await page.evaluate(() => document.documentElement.setAttribute('data-left', ''));
  await act();
  await page.locator('html:not([data-left])').waitFor({ state: 'attached' });
  await page.waitForLoadState('load');
}

export const idIn = address => address.match(/\/system-users\/([0-9]+)/)?.[1];

/** The secret or token that the page shows. */
export const shownOnce = (visitor, label) => field(visitor.main, label).innerText();

/** Without a connected app the empty page says so, and leads to the form. */
export async function connectApp(visitor, hand) {
  await onward(visitor, () => hand.press(press(visitor.main, PRESS.createApp)));
  await hand.type(field(visitor.main, FIELD.name), APP);
  await onward(visitor, () => hand.press(visitor.main.getByRole('button', { name: PRESS.createApp })));
  await visitor.main.getByText(SAYS.shownOnce).first().waitFor();
  return shownOnce(visitor, FIELD.secret);
}

/** From the app's secret back to where the app was missing, and to the terms or the form. */
export async function backToSystemUsers(visitor, hand) {
  await onward(visitor, () => hand.press(press(visitor.main, PRESS.secretCopied)));
  const add = press(visitor.main, PRESS.addSystemUser);
  if (await isThere(add)) await onward(visitor, () => hand.press(add));
}

export async function acceptTerms(visitor, hand) {
  await onward(visitor, () => hand.press(visitor.main.getByRole('button', { name: PRESS.acceptTerms })));
}

export async function createSystemUser(visitor, hand, name = USER) {
  const employee = visitor.main.getByRole('radio', { name: /^Employee/ });
  await employee.waitFor();
  check(await employee.isChecked(), 'Employee is not preselected');
  await hand.type(field(visitor.main, FIELD.name), name);
  await onward(visitor, () => hand.press(visitor.main.getByRole('button', { name: PRESS.createSystemUser })));
  const id = idIn(visitor.page.url());
  check(id, `it leads to ${visitor.page.url()}`);
  return id;
}

/** Ticks an asset and one of its tasks. Without live updates a button shows the tasks. */
export async function tickTask(visitor, hand, asset, task) {
  const { main } = visitor;
  await hand.tick(tickable(main, new RegExp(`^${asset}`)));
  const [box, button] = [tickable(main, task), main.getByRole('button', { name: PRESS.showTasks })];
  await box.or(button).first().waitFor();
  if (!(await isThere(box))) {
    if (await isThere(button)) await onward(visitor, () => hand.press(button));
    await box.waitFor();
  }
  await hand.tick(box);
}

/** Saves, by way of the review where there are no live updates. The change is shown before. */
export async function saveChanges(visitor, hand) {
  const { main } = visitor;
  const save = main.getByRole('button', { name: PRESS.saveChanges });
  const review = main.getByRole('button', { name: PRESS.reviewChanges });
  await save.or(review).first().waitFor();
  if (!(await isThere(save))) await onward(visitor, () => hand.press(review));
  await main.getByText(/^Added$/).first().waitFor();
  await onward(visitor, () => hand.press(save));
}

export async function assign(visitor, hand, asset = ASSET, task = CONTENT) {
  await onward(visitor, () => hand.press(press(visitor.main, PRESS.assignAssets)));
  await tickTask(visitor, hand, asset, task);
  await saveChanges(visitor, hand);
}

/** Generates a token with what the page proposes; answers its text. */
export async function generateToken(visitor, hand, purpose) {
  const { main, page } = visitor;
  if (!page.url().endsWith('/token')) {
    await onward(visitor, () => hand.press(press(main, PRESS.generateToken)));
  }
  const days = main.getByRole('radio', { name: /60 days/ });
  await days.waitFor();
  check(await days.isChecked(), 'an end in 60 days is not preselected');
  for (const scope of SCOPES) {
    check(await tickable(main, new RegExp(scope)).isChecked(), `${scope} is not preselected`);
  }
  if (purpose) await hand.type(field(main, FIELD.purpose), purpose);
  await onward(visitor, () => hand.press(main.getByRole('button', { name: PRESS.generateToken })));
  await main.getByText(SAYS.shownOnce).first().waitFor();
  const token = TOKEN.exec(await shownOnce(visitor, FIELD.token))?.[0];
  check(token, 'the page shows no token');
  return token;
}

/** Revokes the first live token from the page of its system user, and sees the receipt. */
export async function revokeToken(visitor, hand, user) {
  const { main } = visitor;
  await visitor.goto(path(AT.systemUser, { USER: user }));
  const table = main.getByRole('table', { name: TABLE.tokens });
  await onward(visitor, () => hand.press(press(table, PRESS.revokeInRow)));
  await onward(visitor, () => hand.press(main.getByRole('button', { name: PRESS.revokeToken })));
  await main.getByText(SAYS.revoked).first().waitFor();
}

/**
 * The whole path on a fresh server, a step for each part. `s` keeps what later steps need; `see` is
 * called with a name for each page on the way; `purpose` is what the token is for, if that is typed.
 */
export async function walk(w, s, visitor, hand, { see = async () => {}, purpose } = {}) {
  await w.step('the empty page says what system users are for, and that no app is connected', async () => {
    await visitor.goto(AT.systemUsers);
    await visitor.main.getByText(SAYS.whatFor).first().waitFor();
    await visitor.main.getByText(SAYS.noApp).first().waitFor();
    await see('no-app');
  });
  hand.begin();
  await w.step('it leads to Create app, whose secret is shown', async () => {
    s.secret = w.hide(await connectApp(visitor, hand));
    await see('app-secret');
  });
  await w.step('and back, to the terms, which are accepted', async () => {
    await backToSystemUsers(visitor, hand);
    await visitor.main.getByRole('button', { name: PRESS.acceptTerms }).waitFor();
    await see('terms-to-accept');
    await acceptTerms(visitor, hand);
    await see('first-system-user');
  });
  await w.step('a system user is created, as Employee unless one chooses', async () => {
    s.user = await createSystemUser(visitor, hand);
    await see('new-system-user');
  });
  await w.step('a Page is assigned with a task, and the change is shown before it is saved', async () => {
    await assign(visitor, hand);
  });
  await w.step('a token is generated with what the page proposes', async () => {
    s.token = w.hide(await generateToken(visitor, hand, purpose));
    await see('token-once');
  });
  w.note(`${hand.acts} ${hand.verb}, ${hand.chars} characters from the empty page to the token:`);
  w.note(hand.trail.join(' → '));
  w.note(`the pages took ${hand.seconds.toFixed(1)} s, a person takes about ${Math.round(hand.estimate)} s`);
}

/** A fresh server with a Page, and its admin person signed in. */
export async function newcomer(w, options = {}) {
  const server = await w.fresh();
  const { id } = await server.verb('asset', 'create', ASSET, '--kind', 'page');
  // A reload of the page that shows a token sends its form again, which answers 409.
  const visitor = await w.visitor(server, { expected: [/status of 409/], ...options });
  await visitor.signIn(server.linkOf(server.facts.sign_in));
  return { server, visitor, page: id };
}

/** What was shown once is nowhere in the page, nor in its address. */
export async function isGone(visitor, secret, what) {
  // A page that comes back from the browser's cache leads on by itself, while it is read.
  const read = () => visitor.page.content();
  const text = await read().catch(() => visitor.page.waitForLoadState('load').then(read));
  check(!text.includes(secret), `${what} still has it`);
  check(!visitor.page.url().includes(secret), 'the address has it');
}
