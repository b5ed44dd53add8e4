// Refusals: each says what is wrong, and none tells what is not one's own.

import sdk from 'facebook-nodejs-business-sdk';
import {
  ADS, BUSINESS, Business, PAGES, SystemUser, VERSION, check, refused, refusedRaw, same, scene, union,
} from './harness.mjs';
import { makeCampaign } from './scenes-content.mjs';

const { AdAccount, Page } = sdk;
const LOST = '999999999999999';

scene('calls that make no sense', async w => {
  const get = (path, params = {}) => w.admin.call('GET', path, params);
  await w.step('an unknown field is named', () => refused(() => w.node(Page, w.page).get(['id', 'no_such_field']), {
    code: 100, text: '(#100) Tried accessing nonexisting field (no_such_field) on node type (Page)',
  }));
  await w.step('an unknown field inside braces is named', () => refused(
    () => get([w.adAccount], { fields: 'id,business{no_such_field}' }),
    { code: 100, text: 'nonexisting field (no_such_field)' },
  ));
  await w.step('an unknown edge is refused, on GET and on POST', async () => {
    await refused(() => get([w.page, 'no_such_edge']), {
      code: 100, text: '(#100) Tried accessing nonexisting field (no_such_edge) on node type (Page)',
    });
    await refused(() => w.admin.call('POST', [w.page, 'no_such_edge']), {
      code: 100, type: 'GraphMethodException', text: 'Unsupported request - method type: post',
    });
  });
  await w.step('an unknown version is refused', async () => {
    const answer = await w.raw('GET', '/v99.0/me', { query: { access_token: w.adminToken } });
    refusedRaw(answer, { code: 2500, text: 'Unknown path components:' });
  });
  await w.step('a name that is no id is refused with 803', () => refused(
    () => get(['cocacola']), { code: 803, text: 'cocacola' },
  ));
  await w.step("fields that can't be read are refused", () => refused(
    () => get([w.page], { fields: 'id,feed{message' }), { code: 2500, text: 'Syntax error' },
  ));
  await w.step('fields nested too deep are refused', () => refused(
    () => get([w.page], { fields: `id,${'feed{comments{'.repeat(25)}id${'}}'.repeat(25)}` }), { code: 100 },
  ));
  await w.step('a body that is no JSON is refused', async () => {
    const answer = await w.raw('POST', `/${VERSION}/${w.business}/system_users`, {
      query: { access_token: w.adminToken }, headers: { 'Content-Type': 'application/json' }, body: '{"name": ',
    });
    refusedRaw(answer, { code: 100 });
  });
  await w.step("a business can't be deleted", () => refused(() => w.admin.call('DELETE', [w.business]), {
    code: 100, text: 'Unsupported request - method type: delete',
  }));
  await w.step('an empty post is refused', () => refused(() => w.node(Page, w.page).createFeed([]), { code: 100 }));
});

scene("names, roles and apps that can't be", async w => {
  const create = async (name, role = 'EMPLOYEE') => {
    const { id } = await w.node(Business, w.business).createSystemUser([], { name, role });
    w.later(`system user ${id}`, () => w.admin.call('DELETE', [id]));
  };
  const user = await w.createUser();
  for (const [what, name] of [
    ['an empty name', ''], ['a name with 10,000 characters', 'n'.repeat(10_000)], ['a name with a NUL', 'a\0b'],
  ]) await w.step(`${what} is refused`, () => refused(() => create(name), { code: 100 }));
  await w.step('an unknown role is refused', () => refused(
    () => create(w.unique('captain'), 'CAPTAIN'), { code: 100, text: 'must be one of' },
  ));
  await w.step('without the app installed, no token is issued', () => refused(
    () => w.issue(user.id, PAGES), { code: 100, subcode: 9000001 },
  ));
  await w.install(user.id);
  await w.step('an unknown scope is refused', () => refused(
    () => w.issue(user.id, [...PAGES, 'fly']), { code: 100 },
  ));
  await w.step('a scope without those it leans on is refused', () => refused(
    () => w.issue(user.id, ['pages_manage_posts']), { code: 100, subcode: 9000010 },
  ));
  await w.step('a wrong proof issues nothing', () => refused(
    () => w.issue(user.id, PAGES, { appsecret_proof: '0'.repeat(64) }), { code: 100, reason: 'proof_invalid' },
  ));
  await w.step('a foreign app and one that never was are refused alike', async () => {
    const messages = [];
    for (const app of [w.partner.app.id, twin(w.partner.app.id)]) {
      messages.push((await refused(() => w.issue(user.id, PAGES, { app }), { code: 100 })).message);
    }
    same('messages', messages[0], messages[1]);
  });
});

scene('tokens that are none', async w => {
  const token = w.adminToken;
  const letter = token.at(-5) === 'A' ? 'B' : 'A';
  for (const [what, text] of [
    ['cut off', token.slice(0, -1)], ['with one letter changed', token.slice(0, -5) + letter + token.slice(-4)],
    ['made up', 'EAAnotatoken'], ['with a blank', `${token.slice(0, 9)} ${token.slice(9)}`],
  ]) {
    await w.step(`a token ${what} is refused with 190`, () => refused(() => w.api(text).call('GET', ['me']), {
      code: 190, reason: 'token_malformed', type: 'OAuthException', text: 'Invalid OAuth access token',
    }));
  }
  await w.step('no token is refused with 190', async () => {
    refusedRaw(await w.raw('GET', `/${VERSION}/${w.page}`), {
      code: 190, text: 'An access token is required to request this resource.',
    });
  });
  await w.step('a dead token is refused before anything else is looked at', async () => {
    const api = w.api('EAAnotatoken');
    await refused(() => api.call('GET', [w.page], { fields: 'no_such_field' }), { code: 190 });
    await refused(() => api.call('GET', [LOST]), { code: 190 });
  });
});

scene('scope, task and role', async w => {
  const user = await w.worker(['pages_show_list'], { [w.page]: ['CREATE_CONTENT'], [w.adAccount]: ['ANALYZE'] });
  await w.step('without the scope, 10, and it is named', () => refused(
    () => w.node(AdAccount, w.adAccount, user.api).getCampaigns(),
    { code: 10, reason: 'scope_missing', missing: { scope: /./ }, text: '(#10) This endpoint requires the' },
  ));
  await w.step('without the scope, publishing is 10', () => refused(
    () => w.node(Page, w.page, user.api).createFeed([], { message: 'x' }),
    { code: 10, reason: 'scope_missing', missing: { scope: /pages_manage_posts/ } },
  ));
  await w.step('me/adaccounts without the scope is 10, never an empty list', () => refused(
    () => user.api.call('GET', ['me', 'adaccounts']), { code: 10, reason: 'scope_missing' },
  ));
  await w.step('the scope is asked before the assignment', () => refused(
    () => w.node(AdAccount, w.otherAdAccount, user.api).getCampaigns(), { code: 10, reason: 'scope_missing' },
  ));
  const plain = await w.worker([...BUSINESS, 'ads_read']);
  await w.step('a regular system user creates none', () => refused(
    () => w.node(Business, w.business, plain.api).createSystemUser([], { name: 'x', role: 'ADMIN' }),
    { code: 200, reason: 'role_insufficient', missing: { role: 'ADMIN' } },
  ));
  await w.step('a regular system user assigns nothing to itself', () => refused(
    () => w.node(Page, w.page, plain.api).createAssignedUser([], { user: plain.id, tasks: ['MANAGE'] }), { code: 200 },
  ));
  await w.step('a regular system user issues for itself, never more than it has', async () => {
    const { access_token: token } = await w.issue(plain.id, ['ads_read'], { api: plain.api });
    same('me', (await w.api(token).call('GET', ['me'])).id, plain.id);
    await refused(() => w.issue(plain.id, union(PAGES, BUSINESS), { api: plain.api }), {
      code: 200, text: 'issue more permission than it has',
    });
  });
  await w.step('a regular system user issues nothing for another', () => refused(
    () => w.issue(user.id, ['pages_show_list'], { api: plain.api }), { code: [100, 200] },
  ));
});

/** An id of the same make that was never issued: the last digits differ. */
function twin(text) {
  const [, head, digits] = text.match(/^(.*?)(\d+)$/);
  return head + String(BigInt(digits) ^ 0x2aan);
}

/** An answer with the ids and the trace id taken out, to compare bytes. */
function withoutIds({ status, headers, text }, ids) {
  let rest = text.replace(/"fbtrace_id":"[^"]*"/g, '"fbtrace_id":""');
  for (const one of [...ids].sort((a, b) => b.length - a.length)) rest = rest.replaceAll(one, '<id>');
  return JSON.stringify([status, Object.keys(headers).sort(), rest]);
}

// What is tried on every id, and what more on some kinds: method, edge, data.
const ON_ALL = [
  ['GET', '', {}], ['GET', '', { fields: 'id,name' }], ['GET', '', { metadata: '1' }], ['GET', 'no_such_edge', {}],
  ['POST', '', { name: 'mine now' }], ['DELETE', '', {}], ['GET', 'assigned_users', {}],
  ['POST', 'assigned_users', { user: '1', tasks: '["MANAGE"]' }], ['DELETE', 'assigned_users', { user: '1' }],
];
const ON_KIND = {
  Page: [['GET', 'feed', {}], ['POST', 'feed', { message: 'x' }], ['GET', '', { fields: 'access_token' }]],
  'ad account': [['GET', 'campaigns', {}], ['POST', 'campaigns', { name: 'x' }]],
  business: [
    ['GET', 'system_users', {}], ['POST', 'system_users', { name: 'x', role: 'ADMIN' }], ['GET', 'owned_pages', {}],
    ['GET', 'owned_ad_accounts', {}], ['GET', 'owned_apps', {}],
  ],
  'system user': [
    ['GET', 'access_tokens', {}], ['POST', 'access_tokens', { scope: 'ads_read' }], ['DELETE', 'access_tokens', {}],
    ['POST', 'applications', { business_app: '1' }], ['GET', 'assigned_pages', {}],
  ],
  campaign: [['POST', '', { status: 'ACTIVE' }]],
  post: [['POST', '', { message: 'mine now' }]],
};

/** Tries all calls on a foreign id and on two that were never issued. */
async function compare(w, token, kind, real) {
  for (const [method, edge, data] of [...ON_ALL, ...(ON_KIND[kind] ?? [])]) {
    const what = `${method} ${kind}/${edge}`;
    const seen = [];
    for (const one of [real, twin(real), real.replace(/\d+/g, '123456789012345')]) {
      const inBody = method === 'POST';
      const response = await w.raw(method, `/${VERSION}/${one}${edge && `/${edge}`}`, {
        query: { access_token: token, ...(inBody ? {} : data) },
        body: inBody ? new URLSearchParams(data) : undefined,
      });
      const error = refusedRaw(response, { code: 100, subcode: 33, type: 'GraphMethodException' });
      check(!('error_data' in error) && !('error_user_msg' in error), `${what} tells too much`);
      seen.push(withoutIds(response, [one, ...one.split('_').filter(part => /^\d+$/.test(part))]));
    }
    for (const other of seen.slice(1)) check(other === seen[0], `${what} differs: ${seen[0]} and ${other}`);
  }
}

scene("what is foreign looks as if it weren't there", async (w, s) => {
  const user = await w.worker(ADS, { [w.page]: ['CREATE_CONTENT'], [w.adAccount]: ['ADVERTISE'] });
  const campaign = await makeCampaign(w, user.api, w.unique('ours alone'));
  const { id: post } = await w.node(Page, w.page).createFeed([], { message: w.unique('ours alone') });
  w.later(`post ${post}`, () => w.admin.call('DELETE', [post]));
  const token = w.partner.admin_token;
  const partnerApi = w.api(token);
  await w.step("the partner's token works on its own business", async () => {
    const got = await w.node(Business, w.partner.business.id, partnerApi).get(['id', 'name']);
    same('id', got.id, w.partner.business.id);
    s.own = (await partnerApi.call('GET', ['me'])).id;
  });
  for (const [kind, one] of Object.entries({
    business: w.business, app: w.app.id, Page: w.page, 'ad account': w.adAccount, catalog: w.catalog, pixel: w.pixel,
    'system user': user.id, token: user.tokenId, campaign, post,
  })) {
    await w.step(`to the partner, our ${kind} is like an id never issued, byte for byte`, async () => {
      check(one, 'there is no id to try');
      await compare(w, token, kind, one);
    });
  }
  await w.step("to us, the partner's system user is like an id never issued",
    () => compare(w, w.adminToken, 'system user', s.own));
  await w.step("to a regular token, the partner's app is like an id never issued",
    () => compare(w, user.token, 'app', w.partner.app.id));
  await w.step('as a parameter, a foreign user and one never issued are refused alike', async () => {
    const seen = [];
    for (const one of [s.own, twin(s.own)]) {
      const response = await w.raw('POST', `/${VERSION}/${w.page}/assigned_users`, {
        query: { access_token: w.adminToken },
        body: new URLSearchParams({ user: one, tasks: '["ANALYZE"]', business: w.business }),
      });
      refusedRaw(response, { code: 100 });
      seen.push(withoutIds(response, [one]));
    }
    same('answers', seen[0], seen[1]);
  });
  await w.step('in ids=, a foreign id and one never issued are refused alike', async () => {
    const seen = [];
    for (const one of [w.page, twin(w.page)]) {
      const response = await w.raw('GET', `/${VERSION}/`, { query: { ids: one, access_token: token } });
      refusedRaw(response, { code: 803 });
      seen.push(withoutIds(response, [one]));
    }
    same('answers', seen[0], seen[1]);
  });
  await w.step("the partner's lists hold nothing of ours", async () => {
    const mine = [w.page, w.otherPage, w.adAccount, w.otherAdAccount, w.business];
    for (const edge of ['accounts', 'adaccounts', 'businesses']) {
      const { data } = await partnerApi.call('GET', ['me', edge], { limit: 500 });
      same(`ours in me/${edge}`, data.map(row => row.id).filter(id => mine.includes(id)), []);
    }
  });
  await w.step('nothing of ours was changed by the tries', async () => {
    same('user', (await w.node(SystemUser, user.id).get(['name'])).name, user.name);
    same('me', (await user.api.call('GET', ['me'])).id, user.id);
    const { message } = await w.admin.call('GET', [post], { fields: 'message' });
    check(message.includes('ours alone'), `the post reads ${message}`);
  });
});
