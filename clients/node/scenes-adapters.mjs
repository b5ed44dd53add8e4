// The adapters beside Graph: receipts of writes, and decisions for other servers.

import { ADS, PAGES, bearer, check, reasonIn, refused, same, scene, union } from './harness.mjs';

scene('a write has a revision, and the revision a receipt', async (w, s) => {
  const user = await w.createUser();
  await w.step('each write answers with a higher Valetkey-Revision', async () => {
    const api = w.api(w.adminToken).setShowHeader(true);
    const got = [];
    for (const [method, path, params] of [
      ['POST', [user.id], { name: w.unique('revised') }],
      ['POST', [user.id, 'applications'], { business_app: w.app.id }],
      ['POST', [w.page, 'assigned_users'], { user: user.id, tasks: ['ANALYZE'] }],
      ['DELETE', [w.page, 'assigned_users'], { user: user.id }],
    ]) {
      const { headers } = await api.call(method, path, params);
      const text = String(headers['valetkey-revision']);
      check(/^\d+$/.test(text), `Valetkey-Revision is ${text}`);
      got.push(Number(text));
    }
    check(got.every((one, n) => n === 0 || one > got[n - 1]), `the revisions are ${got}`);
    s.revision = got.at(-1);
  });
  await w.step('its receipt names the revision and every node', async () => {
    const { status, json } = await w.raw('GET', `/v1/receipts/${s.revision}`, { headers: bearer(w.adminToken) });
    same('HTTP status', status, 200);
    same('revision', Number(json?.revision), s.revision);
    check(Array.isArray(json.nodes) && json.nodes.length, `nodes are ${JSON.stringify(json.nodes)}`);
  });
  await w.step('without a token there is no receipt', async () => {
    same('HTTP status', (await w.raw('GET', `/v1/receipts/${s.revision}`)).status, 401);
  });
});

scene('other servers ask for a decision', async w => {
  const user = await w.worker(union(PAGES, ADS), { [w.page]: ['CREATE_CONTENT'] });
  const may = { asset: w.page, task: 'CREATE_CONTENT', scope: 'pages_manage_posts' };
  const cases = [
    ['another task of the Page', { ...may, task: 'MODERATE' }, 'task_missing'],
    ["a Page that isn't assigned", { ...may, asset: w.otherPage }, 'asset_not_assigned'],
    ['a scope that the token lacks', { ...may, scope: 'leads_retrieval' }, 'scope_missing'],
    ['an id that is no asset', { ...may, asset: '999999999999999' }, 'not_visible'],
  ];
  const gate = (token, query, headers = {}) =>
    w.raw('GET', '/gateway/forward-auth', { query, headers: bearer(token, headers) });
  const ask = (body, token = user.token) => w.raw('POST', '/v1/check', {
    headers: bearer(token, { 'Content-Type': 'application/json' }), body: JSON.stringify(body),
  });

  await w.step('the gateway lets the assigned task pass', async () => {
    const { status, text } = await gate(user.token, may);
    check([200, 204].includes(status), `HTTP ${status} ${text.slice(0, 200)}`);
  });
  for (const [what, asks, reason] of cases) {
    await w.step(`the gateway stops ${what}, with the reason`, async () => {
      const response = await gate(user.token, asks);
      same('answer', [response.status, reasonIn(response)], [403, reason]);
    });
  }
  await w.step("the visitor's own query changes nothing", async () => {
    const visitor = { 'X-Forwarded-Uri': `/x?asset=${w.page}&task=CREATE_CONTENT`, 'X-Forwarded-Method': 'GET' };
    same('HTTP status', (await gate(user.token, cases[1][1], visitor)).status, 403);
  });
  await w.step('the gateway answers 401 without a token and to one that is none', async () => {
    for (const headers of [{}, bearer('EAAnotatoken')]) {
      const response = await w.raw('GET', '/gateway/forward-auth', { query: may, headers });
      same('HTTP status', response.status, 401);
      check(response.headers['www-authenticate'], 'WWW-Authenticate is absent');
    }
  });
  await w.step('/v1/check allows the assigned task', async () => {
    const { status, json } = await ask(may);
    same('answer', [status, json?.allowed], [200, true]);
  });
  for (const [what, asks, reason] of cases) {
    await w.step(`/v1/check says no to ${what}, with the reason`, async () => {
      const response = await ask(asks);
      same('answer', [response.status, response.json?.allowed, reasonIn(response)], [200, false, reason]);
    });
  }
  await w.step('/v1/check answers a thousand questions in their order', async () => {
    const { status, json } = await ask({ questions: Array(500).fill([may, cases[0][1]]).flat() });
    same('HTTP status', status, 200);
    same('allowed', json?.decisions?.map(row => row.allowed), Array(500).fill([true, false]).flat());
  });
  await w.step('an app of the business asks about the token of another', async () => {
    const { status, json } = await ask({ token: user.token, ...may }, `${w.app.id}|${w.app.secret}`);
    same('answer', [status, json?.allowed], [200, true]);
  });
  await w.step("the partner's app learns nothing about our token", async () => {
    const { id, secret } = w.partner.app;
    const { text } = await ask({ token: user.token, ...may }, `${id}|${secret}`);
    check(!/"allowed"\s*:\s*true/.test(text), 'it was told that the token may');
  });
  await w.step('revoked, the next question is answered no, at every adapter', async () => {
    await w.admin.call('DELETE', [user.id, 'access_tokens']);
    same('HTTP status at the gateway', (await gate(user.token, may)).status, 401);
    const response = await ask(may);
    check(response.status === 401 || response.json?.allowed === false, 'it is still allowed');
    same('reason', reasonIn(response), 'token_revoked');
    await refused(() => user.api.call('GET', ['me']), { code: 190, subcode: 467 });
  });
});
