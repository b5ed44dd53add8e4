// Tokens: what is told of them, their renewal, their end, proofs, and `me`.

import { setTimeout as pause } from 'node:timers/promises';
import sdk from 'facebook-nodejs-business-sdk';
import {
  ADS, BUSINESS, PAGES, User, check, proof, proven, refused, same, scene, union,
} from './harness.mjs';

const { AdAccount, Page, PagePost } = sdk;
const DAY_S = 86400;
const nowS = () => Math.floor(Date.now() / 1000);
const scopesOf = data => new Set(data.scopes.filter(scope => scope !== 'public_profile'));
const debug = async (api, token) => (await api.call('GET', ['debug_token'], { input_token: token })).data;
const me = async (api, more = {}) => (await api.call('GET', ['me'], { ...more })).id;

function near(what, got, want, slack = DAY_S) {
  check(Number.isInteger(got), `${what} is ${JSON.stringify(got)}, not a number`);
  check(Math.abs(got - want) <= slack, `${what} is ${got}, more than ${slack} from ${want}`);
}

/** A call to /oauth/… with the app's id and secret; the session is the app's. */
async function oauth(w, leaf, params) {
  const api = w.api(`${w.app.id}|${w.app.secret}`);
  return w.hide(await api.call('GET', ['oauth', leaf], {
    client_id: w.app.id, client_secret: w.app.secret, ...params,
  }));
}

/** Revokes one token; the session that asks is another token of the same app. */
const revoke = (w, token, by, secret = w.app.secret) => w.api(by).call('GET', ['oauth', 'revoke'], {
  client_id: w.app.id, client_secret: secret, revoke_token: token,
});

/** The row of the only Page in me/accounts. */
async function pageRow(w, api, more = {}) {
  const rows = await w.node(User, 'me', api).getAccounts(['id', 'name', 'access_token', 'tasks'], { ...more });
  same('ids in me/accounts', rows.map(row => row.id), [w.page]);
  return w.hide(rows[0]._data);
}

scene('debug_token tells what a token is', async w => {
  const user = await w.worker(PAGES, { [w.page]: ['CREATE_CONTENT'] });
  const appText = `${w.app.id}|${w.app.secret}`;
  const appApi = w.api(appText);
  const whole = data => {
    for (const [key, want] of Object.entries({
      app_id: w.app.id, application: w.app.name, type: 'SYSTEM_USER', is_valid: true, user_id: user.id, expires_at: 0,
    })) same(key, data[key], want);
    near('issued_at', data.issued_at, nowS());
    same('scopes', scopesOf(data), new Set(PAGES));
    check(Array.isArray(data.granular_scopes), 'granular_scopes is no list');
  };
  await w.step('asked with APPID|SECRET', async () => whole(await debug(appApi, user.token)));
  await w.step('asked with the token itself', async () => whole(await debug(user.api, user.token)));
  await w.step('asked with an app token from client_credentials', async () => {
    const answer = await oauth(w, 'access_token', { grant_type: 'client_credentials' });
    same('token_type', answer.token_type, 'bearer');
    check(!('expires_in' in answer), 'an app token has no expires_in');
    whole(await debug(w.api(answer.access_token), user.token));
  });
  await w.step("the SDK's getAppID finds the app", async () => {
    same('app_id', (await user.api.getAppID()).data.data.app_id, w.app.id);
  });
  await w.step('a token for 60 days says when it ends', async () => {
    const answer = await w.issue(user.id, PAGES, { set_token_expires_in_60_days: true });
    near('expires_at in the answer', answer.expires_at, nowS() + 60 * DAY_S);
    near('expires_at', (await debug(appApi, answer.access_token)).expires_at, answer.expires_at, 1);
  });
  await w.step('a page token is of type PAGE and names its Page', async () => {
    const data = await debug(appApi, (await pageRow(w, user.api)).access_token);
    same('data', [data.type, data.profile_id, data.user_id], ['PAGE', w.page, user.id]);
  });
  await w.step('an app token is of type APP', async () => {
    const data = await debug(appApi, appText);
    same('data', [data.type, data.is_valid, Array.isArray(data.scopes)], ['APP', true, true]);
  });
  await w.step('a revoked token is not valid, at HTTP 200', async () => {
    await w.node(User, user.id).deleteAccessTokens();
    const data = await debug(appApi, user.token);
    same('data', [data.is_valid, data.error?.code, data.error?.subcode], [false, 190, 467]);
  });
  await w.step('a garbled token is not valid, at HTTP 200', async () => {
    const data = await debug(appApi, user.token.slice(0, -3));
    same('data', [data.is_valid, data.error?.code, data.scopes], [false, 190, []]);
  });
  await w.step('a token of another app of the business is a mismatch', async () => {
    const other = await w.worker(PAGES, {}, w.secondApp.id);
    const data = await debug(appApi, other.token);
    same('data', [data.is_valid, data.error?.code, data.scopes], [false, 100, []]);
    check(data.error.message.includes('did not match the Viewing App'), data.error.message);
  });
  await w.step('a token of another business looks like no token at all', async () => {
    const foreign = await debug(appApi, w.partner.admin_token);
    same('the answer', foreign, await debug(appApi, 'nonsense'));
    same('is_valid', foreign.is_valid, false);
  });
});

scene('a token is renewed', async (w, s) => {
  const user = await w.worker(PAGES, { [w.page]: ['CREATE_CONTENT'] });
  const appApi = w.api(`${w.app.id}|${w.app.secret}`);
  const { access_token: ends } = await w.issue(user.id, PAGES, { set_token_expires_in_60_days: true });
  const renew = (token, more = {}) => oauth(w, 'access_token', {
    grant_type: 'fb_exchange_token', fb_exchange_token: token, ...more,
  });
  await w.step('fb_exchange_token gives a new string that ends in 60 days', async () => {
    const answer = await renew(ends, { set_token_expires_in_60_days: true });
    check(answer.access_token && answer.access_token !== ends, 'the same string came back');
    same('token_type', answer.token_type, 'bearer');
    near('expires_in', answer.expires_in, 60 * DAY_S);
    s.fresh = answer.access_token;
  });
  await w.step('the new token works, and so does the old one', async () => {
    for (const token of [s.fresh, ends]) same('me', await me(w.api(token)), user.id);
  });
  await w.step('it has the same scopes, user and app', async () => {
    const [old, fresh] = [await debug(appApi, ends), await debug(appApi, s.fresh)];
    for (const key of ['app_id', 'user_id', 'type']) same(key, fresh[key], old[key]);
    same('scopes', scopesOf(fresh), scopesOf(old));
  });
  await w.step('asking for more scopes never gives more', async () => {
    const answer = await renew(ends, { scope: union(PAGES, ADS).join(',') }).catch(error => {
      check(error.response?.code, w.explain(error)); // a refusal is as good as being ignored
      return null;
    });
    if (answer) {
      const { scopes } = await debug(appApi, answer.access_token);
      check(!scopes.includes('ads_management'), 'the new token holds ads_management');
    }
  });
  await w.step('renewing a token without end gives no expires_in', async () => {
    const answer = await renew(user.token);
    check(!('expires_in' in answer), `expires_in is ${answer.expires_in}`);
  });
  await w.step('a wrong secret is refused with 101, never with 1', () => refused(
    () => renew(ends, { client_secret: '0'.repeat(32) }), { code: 101, text: 'Error validating client secret.' },
  ));
  await w.step('an unknown app is refused with 101', () => refused(
    () => oauth(w, 'access_token', { grant_type: 'client_credentials', client_id: '12345' }),
    { code: 101, text: 'Error validating application' },
  ));
  await w.step('an unknown grant_type is refused with 100', () => refused(
    () => oauth(w, 'access_token', { grant_type: 'wish' }), { code: 100 },
  ));
  await w.step("another app can't renew it", () => refused(
    () => renew(ends, { client_id: w.secondApp.id, client_secret: w.secondApp.secret }), { code: 190 },
  ));
  await w.step("a revoked token can't be renewed", async () => {
    await w.admin.call('DELETE', [user.id, 'access_tokens']);
    await refused(() => renew(ends), { code: 190, subcode: 467 });
  });
  await w.step('revoking all also ended the renewed one', () => refused(
    () => me(w.api(s.fresh)), { code: 190, subcode: 467 },
  ));
});

scene('one token is revoked and the others live', async w => {
  const user = await w.worker(PAGES, { [w.page]: ['CREATE_CONTENT'] });
  const spare = await w.issue(user.id, PAGES);
  const third = await w.issue(user.id, PAGES);
  await w.step('oauth/revoke ends the named token only', async () => {
    same('the answer', await revoke(w, user.token, spare.access_token), { success: true });
    await refused(() => me(user.api), { code: 190, subcode: 467, reason: 'token_revoked' });
    same('me', await me(w.api(spare.access_token)), user.id);
  });
  await w.step('revoking it once more succeeds', async () => {
    same('the answer', await revoke(w, user.token, spare.access_token), { success: true });
  });
  await w.step('a wrong secret revokes nothing', async () => {
    await refused(() => revoke(w, third.access_token, spare.access_token, '0'.repeat(32)), { code: 101 });
    same('me', await me(w.api(third.access_token)), user.id);
  });
  await w.step("the inventory lists every token, and no token's text", async () => {
    const answer = await w.admin.call('GET', [user.id, 'access_tokens'], { limit: 100 });
    for (const one of [spare, third]) {
      const row = answer.data.find(({ id }) => id === one.token_id);
      check(row, `token ${one.token_id} is not listed`);
      same('app', row.app.id, w.app.id);
      check(PAGES.every(scope => row.scopes.includes(scope)), `scopes are ${row.scopes}`);
      check(!JSON.stringify(answer).includes(one.access_token), 'the list shows the text of a token');
    }
  });
  await w.step("DELETE on a token's own id ends it", async () => {
    same('the answer', await w.admin.call('DELETE', [third.token_id]), { success: true });
    await refused(() => me(w.api(third.access_token)), { code: 190, subcode: 467 });
    same('me', await me(w.api(spare.access_token)), user.id);
  });
  await w.step("the SDK's deleteAccessTokens ends the rest", async () => {
    await w.node(User, user.id).deleteAccessTokens();
    await refused(() => me(w.api(spare.access_token)), { code: 190, subcode: 467 });
  });
});

scene('a token ends by itself', async w => {
  const user = await w.createUser();
  await w.install(user.id);
  await w.step('a token made for two seconds is refused with 190, subcode 463', async () => {
    const api = w.api((await w.issue(user.id, PAGES, { lifetime_s: 2 })).access_token);
    const until = Date.now() + 15_000;
    while (Date.now() < until && await me(api).then(() => true, () => false)) await pause(200);
    await refused(() => me(api), {
      code: 190, subcode: 463, reason: 'token_expired',
      text: 'Error validating access token: Session has expired on',
    });
  });
});

scene('appsecret_proof', async w => {
  const user = await w.worker(PAGES, { [w.page]: ['CREATE_CONTENT'] });
  const second = await w.worker(PAGES, { [w.page]: ['CREATE_CONTENT'] }, w.secondApp.id);
  const type = 'GraphMethodException';
  const wrong = { code: 100, type, text: 'Invalid appsecret_proof provided in the API argument' };
  const absent = { code: 100, type, text: 'API calls from the server require an appsecret_proof argument' };
  const publish = (message, more = {}) => w.node(Page, w.page, second.api).createFeed([], { message, ...more });
  const right = proven(second.token, w.secondApp.secret);

  await w.step('the first app demands none, and takes a right one', async () => {
    same('me without', await me(user.api), user.id);
    same('me with', await me(user.api, proven(user.token, w.app.secret)), user.id);
  });
  await w.step('the first app refuses a wrong one', () => refused(
    () => me(user.api, proven(user.token, w.secondApp.secret)), { ...wrong, reason: 'proof_invalid' },
  ));
  await w.step('the second app demands one', () => refused(
    () => me(second.api), { ...absent, reason: 'proof_missing' },
  ));
  await w.step('the second app takes a right one', async () => same('me', await me(second.api, right), second.id));
  await w.step('the second app refuses a wrong one', () => refused(
    () => me(second.api, proven(second.token, w.app.secret)), { ...wrong, reason: 'proof_invalid' },
  ));
  await w.step("without the proof the second app's token publishes nothing", () => refused(() => publish('x'), absent));
  await w.step('with the proof it publishes', async () => {
    const { id } = await publish(w.unique('proven'), right);
    w.later(`post ${id}`, () => w.node(PagePost, id).delete());
  });
  await w.step("a page token is proven by its own text, not by its parent's", async () => {
    const { access_token: token } = await pageRow(w, second.api, right);
    same('me', await me(w.api(token), { appsecret_proof: proof(token, w.secondApp.secret) }), w.page);
    await refused(() => me(w.api(token), right), wrong);
  });
  await w.step('a dead token is 190 even when the proof is wrong as well', async () => {
    await w.admin.call('DELETE', [user.id, 'access_tokens']);
    await refused(() => me(user.api, proven(user.token, w.secondApp.secret)), { code: 190, subcode: 467 });
  });
});

scene('me, and what it reaches', async (w, s) => {
  const scopes = union(PAGES, ADS, BUSINESS);
  const user = await w.worker(scopes, { [w.page]: ['CREATE_CONTENT', 'ANALYZE'], [w.adAccount]: ['ANALYZE'] });
  const my = () => w.node(User, 'me', user.api);
  await w.step('me is the system user', async () => {
    const got = await my().get(['id', 'name']);
    same('me', [got.id, got.name], [user.id, user.name]);
  });
  await w.step('me/accounts lists the assigned Page alone, with its tasks', async () => {
    const row = await pageRow(w, user.api);
    check(['CREATE_CONTENT', 'ANALYZE'].every(task => row.tasks.includes(task)), `tasks are ${row.tasks}`);
    s.token = row.access_token;
  });
  await w.step('me/accounts gives the same page token each time', async () => {
    check((await pageRow(w, user.api)).access_token === s.token, 'the second answer has another one');
    const page = await w.node(Page, w.page, user.api).get(['access_token']);
    check(page.access_token === s.token, "the Page's own field has another one");
  });
  await w.step('me/accounts has its documented default fields', async () => {
    const row = w.hide((await my().getAccounts())[0]._data);
    const lacking = ['access_token', 'category', 'category_list', 'id', 'name', 'tasks'].filter(key => !(key in row));
    same('absent', lacking, []);
  });
  await w.step('the page token is the Page', async () => same('me', await me(w.api(s.token)), w.page));
  await w.step('the page token publishes', async () => {
    const { id } = await w.node(Page, w.page, w.api(s.token)).createFeed([], { message: w.unique('as the Page') });
    w.later(`post ${id}`, () => w.node(PagePost, id).delete());
    check(id.startsWith(`${w.page}_`), `the post's id is ${id}`);
  });
  await w.step('the page token sees no other asset', () => refused(
    () => w.node(AdAccount, w.adAccount, w.api(s.token)).get(['id']), { code: 100, subcode: 33 },
  ));
  await w.step('me/adaccounts lists the assigned account, with both ids by default', async () => {
    const rows = (await my().getAdAccounts()).map(row => [row.id, row.account_id]);
    same('rows', rows, [[w.adAccount, w.adAccount.replace('act_', '')]]);
  });
  await w.step('me/businesses lists its one business', async () => {
    const rows = (await my().getBusinesses(['id', 'name'])).map(row => [row.id, row.name]);
    same('rows', rows, [[w.business, w.demo.business.name]]);
  });
  await w.step("me/permissions lists the token's scopes as granted", async () => {
    const { data } = await user.api.call('GET', ['me', 'permissions']);
    const names = data.map(row => row.permission).filter(name => name !== 'public_profile');
    same('permissions', new Set(names), new Set(scopes));
    same('status', new Set(data.map(row => row.status)), new Set(['granted']));
  });
  await w.step("the same lists are found by the user's number", async () => {
    const mine = w.node(User, user.id, user.api);
    same('accounts', (await mine.getAccounts(['id'])).map(row => row.id), [w.page]);
    same('adaccounts', (await mine.getAdAccounts(['id'])).map(row => row.id), [w.adAccount]);
    same('businesses', (await mine.getBusinesses(['id'])).map(row => row.id), [w.business]);
  });
  await w.step('an app token has no me', () => refused(
    () => me(w.api(`${w.app.id}|${w.app.secret}`)), { code: 2500 },
  ));
  await w.step('the page token dies when the Page is unassigned', async () => {
    const api = w.api(s.token);
    await w.unassign(w.page, user.id);
    await refused(() => me(api), { code: [190, 200] });
  });
  await w.step('the page token dies with its parent', async () => {
    await w.assign(w.page, user.id, ['CREATE_CONTENT']);
    const { access_token: token } = await pageRow(w, user.api);
    await w.admin.call('DELETE', [user.id, 'access_tokens']);
    await refused(() => me(w.api(token)), { code: 190 });
  });
});
