// The main path with the mouse, with the keyboard alone, and without script.

import { check, same, scene } from './harness.mjs';
import { Keyboard } from './hands.mjs';
import { isGone, newcomer, press, revokeToken, walk } from './path.mjs';
import { Program, refused } from './sdk.mjs';
import { AT, PRESS, path } from './words.mjs';

const MOST_CLICKS = 11;
const MOST_SECONDS = 120;

/** What a program does with the token, until it is revoked. */
async function useAndRevoke(w, s, server, page, visitor, hand) {
  await w.step('the token publishes a post through the official SDK', async () => {
    s.program = new Program(server, s.token);
    s.post = await s.program.publish(page, 'Published with a token of the console');
    check(s.post, 'the SDK got no id');
  });
  await w.step('the token is revoked on its page, and the receipt is shown', async () => {
    await revokeToken(visitor, hand, s.user);
  });
  await w.step('the SDK is refused at once', async () => {
    await refused(() => s.program.publish(page, 'no longer'), { code: 190, reason: 'token_revoked' });
  });
}

scene('from the empty page to a working token', async (w, s) => {
  const { server, visitor, page } = await newcomer(w);
  await visitor.context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.origin });
  await walk(w, s, visitor, visitor.mouse);
  const { acts, estimate } = visitor.mouse;
  await w.step('a newcomer needs under 12 clicks and under 2 minutes', async () => {
    check(acts <= MOST_CLICKS, `it was ${acts} clicks: ${visitor.mouse.trail.join(' → ')}`);
    check(estimate < MOST_SECONDS, `it is about ${Math.round(estimate)} s`);
  });
  await w.step('Copy token puts it on the clipboard', async () => {
    await press(visitor.main, PRESS.copyToken).click();
    same('the clipboard', await visitor.page.evaluate(() => navigator.clipboard.readText()) === s.token, true);
  });
  await w.step('the snippets for curl, Python and Node hold the token and this address', async () => {
    const text = await visitor.main.innerText();
    for (const part of ['curl', 'facebook_business', 'facebook-nodejs-business-sdk', new URL(server.base).port]) {
      check(text.includes(part), `${part} is not on the page`);
    }
    check(text.split(s.token).length > 3, 'a snippet lacks the token');
  });
  await w.step('a reload wipes the token', async () => {
    await visitor.page.reload();
    await isGone(visitor, s.token, 'the page');
  });
  await w.step('so does coming back to the address', async () => {
    const address = visitor.page.url();
    await visitor.goto(path(AT.systemUser, { USER: s.user }));
    await isGone(visitor, s.token, "the system user's page");
    await visitor.goto(address);
    await isGone(visitor, s.token, 'the page');
  });
  await useAndRevoke(w, s, server, page, visitor, visitor.mouse);
});

scene('the main path with the keyboard alone', async (w, s) => {
  const { server, visitor, page } = await newcomer(w);
  const keyboard = new Keyboard(visitor.page);
  await walk(w, s, visitor, keyboard, { purpose: 'The workshop calendar' });
  await w.step('a reload with F5 wipes the token', async () => {
    await visitor.page.reload();
    await isGone(visitor, s.token, 'the page');
  });
  await useAndRevoke(w, s, server, page, visitor, keyboard);
});

scene('the main path with script switched off', async (w, s) => {
  const { server, visitor, page } = await newcomer(w, { script: false });
  await walk(w, s, visitor, visitor.mouse);
  await w.step('a reload wipes the token', async () => {
    await visitor.page.reload();
    await isGone(visitor, s.token, 'the page');
  });
  await useAndRevoke(w, s, server, page, visitor, visitor.mouse);
});
