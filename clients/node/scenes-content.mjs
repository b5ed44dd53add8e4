// Campaigns, lists in pages, several objects at once, and unchanged answers.

import sdk from 'facebook-nodejs-business-sdk';
import {
  ADS, Business, VERSION, bearer, check, checkError, refused, refusedRaw, same, scene,
} from './harness.mjs';

const { APIRequest, AdAccount, Campaign, FacebookAdsApiBatch, Page } = sdk;
const OK = { success: true };
const LOST = '999999999999999';

export const campaignParams = (name, more = {}) => ({
  name,
  objective: Campaign.Objective.outcome_traffic,
  status: Campaign.Status.paused,
  special_ad_categories: [],
  daily_budget: 5000,
  ...more,
});

const cleanCampaign = (w, id) => w.later(`campaign ${id}`, () => w.node(Campaign, id).delete());

export async function makeCampaign(w, api, name) {
  const { id } = await w.node(AdAccount, w.adAccount, api).createCampaign([], campaignParams(name));
  cleanCampaign(w, id);
  return id;
}

const named = text => [{ field: 'name', operator: 'CONTAIN', value: text }];

scene('campaigns are made, read, listed, changed and deleted', async (w, s) => {
  const user = await w.worker(ADS, { [w.adAccount]: ['ADVERTISE'] });
  const account = () => w.node(AdAccount, w.adAccount, user.api);
  const campaign = () => w.node(Campaign, s.id, user.api);
  const listed = async (params = {}) =>
    (await account().getCampaigns(['id', 'name', 'status'], { limit: 500, ...params })).map(row => row.id);
  s.name = w.unique('Spring tour');

  await w.step('a campaign is created', async () => {
    s.id = await makeCampaign(w, user.api, s.name);
    check(/^\d+$/.test(s.id), `its id is ${s.id}`);
  });
  await w.step('it is read with the fields that were written', async () => {
    const want = {
      id: s.id, name: s.name, objective: 'OUTCOME_TRAFFIC', status: 'PAUSED', effective_status: 'PAUSED',
      daily_budget: '5000', account_id: w.adAccount.replace('act_', ''),
    };
    const fields = [...Object.keys(want), 'special_ad_categories', 'created_time', 'updated_time'];
    const got = await campaign().get(fields);
    for (const key of Object.keys(want)) same(key, got._data[key], want[key]);
    check(got.created_time && got.updated_time, 'a time is missing');
  });
  await w.step("it is in the account's list", async () => check((await listed()).includes(s.id), 'it is not listed'));
  await w.step('the list is filtered by effective_status', async () => {
    check((await listed({ effective_status: ['PAUSED'] })).includes(s.id), 'PAUSED lacks it');
    check(!(await listed({ effective_status: ['ACTIVE'] })).includes(s.id), 'ACTIVE holds it');
  });
  await w.step('the list is filtered by name', async () => {
    same('ids', await listed({ filtering: named(s.name) }), [s.id]);
    same('ids', await listed({ filtering: named(`${s.name} not`) }), []);
  });
  await w.step('it is renamed and switched on', async () => {
    const name = `${s.name} renamed`;
    same('the answer', await campaign().update([], { name, status: 'ACTIVE' }), OK);
    const got = await campaign().get(['name', 'status', 'effective_status']);
    same('campaign', [got.name, got.status, got.effective_status], [name, 'ACTIVE', 'ACTIVE']);
  });
  await w.step('validate_only writes nothing', async () => {
    const name = w.unique('only a try');
    await account().createCampaign([], campaignParams(name, { execution_options: ['validate_only'] }));
    same('ids', await listed({ filtering: named(name) }), []);
  });
  await w.step('a missing parameter is refused and named', async () => {
    const { objective, ...params } = campaignParams(w.unique('no aim'));
    const error = await refused(() => account().createCampaign([], params), { code: 100, text: 'objective' });
    const blamed = JSON.stringify(error.error_data?.blame_field_specs);
    check(blamed?.includes('objective'), `blame_field_specs is ${blamed}, without ${objective}`);
  });
  await w.step('an unknown objective is refused and named', async () => {
    const params = campaignParams(w.unique('odd aim'), { objective: 'OUTCOME_MIRACLE' });
    const error = await refused(() => account().createCampaign([], params), { code: 100, text: 'must be one of' });
    const blamed = JSON.stringify(error.error_data?.blame_field_specs);
    check(blamed?.includes('objective'), `blame_field_specs is ${blamed}`);
  });
  await w.step('it is deleted: out of the list, still readable as DELETED', async () => {
    same('the answer', await campaign().delete(), OK);
    check(!(await listed()).includes(s.id), 'it is still listed');
    same('status', (await campaign().get(['status'])).status, 'DELETED');
    check((await listed({ effective_status: ['DELETED'] })).includes(s.id), 'effective_status DELETED lacks it');
  });
  await w.step('ANALYZE alone reads and does not write', async () => {
    await w.assign(w.adAccount, user.id, ['ANALYZE']);
    check(Array.isArray(await listed()), 'no list');
    await refused(() => account().createCampaign([], campaignParams(w.unique('not mine'))), {
      code: 200, reason: 'task_missing', missing: { task: 'ADVERTISE' },
    });
  });
});

scene('lists come in pages', async w => {
  const user = await w.worker(ADS, { [w.adAccount]: ['ADVERTISE'] });
  const account = () => w.node(AdAccount, w.adAccount, user.api);
  const word = w.unique('paged');
  const made = new Set();
  for (const letter of 'abc') made.add(await makeCampaign(w, user.api, `${word} ${letter}`));
  const path = `/${VERSION}/${w.adAccount}/campaigns`;
  const query = { limit: 1, fields: 'id,name', filtering: JSON.stringify(named(word)) };

  await w.step("the SDK's cursor walks three pages of one, by the next links alone", async () => {
    const cursor = await account().getCampaigns(['id', 'name'], { limit: 1, summary: true, filtering: named(word) });
    same('total_count', cursor.summary?.total_count, 3);
    const ids = [];
    for (let pages = 1; ; pages += 1) {
      check(pages <= 5, 'there is no last page');
      same(`rows on page ${pages}`, cursor.length, 1);
      ids.push(cursor[0].id);
      check(cursor.paging.cursors.after, 'no cursors.after');
      if (!cursor.hasNext()) break;
      const { next } = cursor.paging;
      check(String(next).startsWith(`${w.base}/`), `next leads to ${String(next).split('?')[0]}`);
      check(next.includes(encodeURIComponent(user.token)), 'next lacks the token that came as a parameter');
      await cursor.next();
    }
    same('ids', [ids.length, new Set(ids)], [3, made]);
  });
  await w.step('the cursor also walks back', async () => {
    const cursor = await account().getCampaigns(['id'], { limit: 1, filtering: named(word) });
    const first = cursor[0].id;
    await cursor.next();
    check(cursor[0].id !== first, 'the second page is the first');
    check(cursor.hasPrevious(), 'the second page has no previous');
    await cursor.previous();
    same('first id', cursor[0].id, first);
  });
  await w.step('next holds no token if it came in the header', async () => {
    const answer = await w.raw('GET', path, { query, headers: bearer(user.token) });
    check(answer.json?.paging?.next, 'no next');
    check(!answer.text.includes(user.token), "a paging link repeats the header's token");
  });
  await w.step("a cursor that isn't ours is refused", () => refused(
    () => account().getCampaigns(['id'], { limit: 1, after: 'bm90IG91cnM' }), { code: 100 },
  ));
  await w.step('the cursor walks system users too, without repeating one', async () => {
    const mine = [user.id, (await w.createUser()).id, (await w.createUser()).id];
    const cursor = await w.node(Business, w.business).getSystemUsers(['id'], { limit: 1 });
    const ids = cursor.map(row => row.id);
    while (cursor.hasNext()) ids.push(...(await cursor.next()).map(row => row.id));
    same('repeated ids', ids.length - new Set(ids).size, 0);
    same('missing', mine.filter(id => !ids.includes(id)), []);
  });
});

scene('several calls in one batch', async w => {
  const user = await w.worker(ADS, { [w.page]: ['ANALYZE'], [w.adAccount]: ['ADVERTISE'] });
  const run = async items => {
    const answer = await user.api.call('POST', [], { batch: items });
    check(Array.isArray(answer), `the answer is ${JSON.stringify(answer).slice(0, 200)}`);
    same('number of parts', answer.length, items.length);
    return answer.map(part => part && { ...part, text: part.body, body: JSON.parse(part.body) });
  };
  const failedPart = (part, code, subcode) => {
    const headers = Object.fromEntries(part.headers.map(({ name, value }) => [name.toLowerCase(), value]));
    checkError(part.body.error, part.code, headers, { code, subcode });
  };

  await w.step("the SDK's batch: two reads, a write whose values are not escaped, and one that fails", async () => {
    const good = [];
    const bad = [];
    const name = w.unique('tea & cake = 100 % joy');
    const send = new FacebookAdsApiBatch(user.api);
    for (const request of [
      new APIRequest(w.page, 'GET', '').addFields(['id', 'name']),
      new APIRequest(LOST, 'GET', '').addFields(['id']),
      new APIRequest(w.adAccount, 'POST', '/campaigns').addParams(campaignParams(name)),
      new APIRequest(w.adAccount, 'GET', '').addFields(['id', 'name']),
    ]) send.addRequest(request, part => good.push(part), part => bad.push(part));
    same('what is left to do', await send.execute(), null);
    same('good and bad parts', [good.length, bad.length], [3, 1]);
    cleanCampaign(w, good[1].body.id);
    same('ids', [good[0].body.id, good[2].body.id], [w.page, w.adAccount]);
    same('bad part', [bad[0].status, bad[0].body.error.code, bad[0].body.error.error_subcode], [400, 100, 33]);
    check(bad[0].error.message.includes(LOST), `the SDK's error reads ${bad[0].error.message}`);
    same('name', (await w.node(Campaign, good[1].body.id, user.api).get(['name'])).name, name);
  });
  await w.step('an item uses what an earlier one answered; that one comes as null', async () => {
    const name = w.unique('referred');
    const body = new URLSearchParams({ ...campaignParams(name), special_ad_categories: '[]' }).toString();
    const parts = await run([
      { method: 'POST', name: 'make', relative_url: `${w.adAccount}/campaigns`, body },
      { method: 'GET', relative_url: '{result=make:$.id}?fields=id,name' },
    ]);
    same('the first part', parts[0], null);
    same('code', parts[1].code, 200);
    cleanCampaign(w, parts[1].body.id);
    same('name', parts[1].body.name, name);
  });
  await w.step('omit_response_on_success=false keeps it', async () => {
    const parts = await run([
      {
        method: 'GET', name: 'page', relative_url: `${VERSION}/${w.page}?fields=id`,
        omit_response_on_success: false,
      },
      { method: 'GET', relative_url: '/?ids={result=page:$.id}&fields=name' },
    ]);
    same('codes', parts.map(part => part.code), [200, 200]);
    same('keys of the second', Object.keys(parts[1].body), [w.page]);
  });
  await w.step('a part has code, headers and the body as text', async () => {
    const [part] = await run([{ method: 'GET', relative_url: 'me' }]);
    same('type of body', typeof part.text, 'string');
    check(part.headers.some(({ name }) => /^content-type$/i.test(name)), 'no content type among the headers');
  });
  await w.step('what depends on a failed item is refused, and the rest runs', async () => {
    const parts = await run([
      { method: 'GET', name: 'lost', relative_url: LOST },
      { method: 'GET', relative_url: '{result=lost:$.id}' },
      { method: 'GET', relative_url: 'me' },
    ]);
    failedPart(parts[0], 100, 33);
    failedPart(parts[1], 100);
    same('code of the third', parts[2].code, 200);
  });
  await w.step('a circle and an unknown name are refused, and the rest runs', async () => {
    const parts = await run([
      { method: 'GET', name: 'a', relative_url: '{result=b:$.id}' },
      { method: 'GET', name: 'b', relative_url: '{result=a:$.id}' },
      { method: 'GET', relative_url: '{result=nobody:$.id}' },
      { method: 'GET', relative_url: 'me' },
    ]);
    for (const part of parts.slice(0, 3)) failedPart(part, 100);
    same('code of the last', parts[3].code, 200);
  });
  await w.step('an item may carry a token of its own', async () => {
    const [part] = await run([{ method: 'GET', relative_url: 'me', access_token: w.adminToken }]);
    same('me', part.body.id, w.demo.admin_system_user.id);
  });
  await w.step('51 items are refused as a whole', () => refused(
    () => user.api.call('POST', [], { batch: Array(51).fill({ method: 'GET', relative_url: 'me' }) }),
    { code: 100, text: 'Too many requests in batch message.' },
  ));
  await w.step('a batch that is no array is refused', () => refused(
    () => user.api.call('POST', [], { batch: { method: 'GET' } }), { code: 100 },
  ));
});

scene('several objects by their ids', async w => {
  // This SDK puts each whole row where the id belongs; that is read here.
  const read = async (ids, fields = ['id', 'name']) =>
    (await Page.getByIds(ids, fields, {}, w.admin)).map(row => row.id);
  await w.step('getByIds reads two Pages in one call', async () => {
    const want = w.demo.pages.slice(0, 2).map(({ id, name }) => ({ id, name }));
    const rows = await read([w.page, w.otherPage]);
    same('Pages', rows.sort((a, b) => a.id.localeCompare(b.id)), want.sort((a, b) => a.id.localeCompare(b.id)));
  });
  await w.step('one bad id fails them all', () => refused(() => read([w.page, LOST]), { code: 803 }));
  await w.step('51 ids are refused', () => refused(
    () => read(Array.from({ length: 51 }, (_, n) => String(900000000000000 + n))), { code: 100, text: 'Too many IDs' },
  ));
});

scene('an unchanged answer is not sent twice', async (w, s) => {
  const user = await w.createUser();
  const read = etag => w.raw('GET', `/${VERSION}/${user.id}`, {
    query: { fields: 'id,name', access_token: w.adminToken }, headers: etag ? { 'If-None-Match': etag } : {},
  });
  await w.step('a read carries an ETag, and its return is answered by 304', async () => {
    w.admin.setShowHeader(true);
    const answer = await w.admin.call('GET', [user.id], { fields: 'id,name' });
    w.admin.setShowHeader(false);
    s.etag = answer.headers.etag;
    check(s.etag, 'there is no ETag');
    const again = await read(s.etag);
    same('answer', [again.status, again.text], [304, '']);
  });
  await w.step('after a change the whole answer comes, with another ETag', async () => {
    await w.admin.call('POST', [user.id], { name: w.unique('changed') });
    const changed = await read(s.etag);
    same('HTTP status', changed.status, 200);
    check(changed.headers.etag && changed.headers.etag !== s.etag, 'the ETag is the old one');
  });
});

scene('ways of writing the same call', async (w, s) => {
  const user = await w.worker(ADS, { [w.page]: ['ANALYZE'], [w.adAccount]: ['ADVERTISE'] });
  const token = { access_token: user.token };
  const path = `/${VERSION}/${w.adAccount}/campaigns`;
  const form = name => ({ ...campaignParams(name), special_ad_categories: '[]', ...token });
  const made = async answer => {
    const { status, text, json } = await answer;
    check(json?.id, `HTTP ${status}: ${text.slice(0, 300)}`);
    cleanCampaign(w, json.id);
    return json.id;
  };
  await w.step('POST with everything in the query', () => made(w.raw('POST', path, {
    query: form(w.unique('in the query')),
  })));
  await w.step('POST with a JSON body and the token in the query', async () => {
    s.id = await made(w.raw('POST', path, {
      query: token, headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(campaignParams(w.unique('in JSON'))),
    }));
  });
  await w.step('POST with a form that names no content type', () => made(w.raw('POST', path, {
    body: new TextEncoder().encode(new URLSearchParams(form(w.unique('no type'))).toString()),
  })));
  await w.step('POST with multipart fields', () => {
    const body = new FormData();
    for (const [key, value] of Object.entries(form(w.unique('multipart')))) body.set(key, String(value));
    return made(w.raw('POST', path, { body }));
  });
  await w.step('the token as a bearer header', async () => {
    for (const word of ['Bearer', 'OAuth']) {
      const answer = await w.raw('GET', '/me', { headers: { Authorization: `${word} ${user.token}` } });
      same('me', answer.json?.id, user.id);
    }
  });
  await w.step('no version, old and new versions, and slashes at will', async () => {
    for (const start of ['', '/v2.3', '/v19.0', '/v24.0', '/v26.0']) {
      for (const end of ['', '/']) {
        const url = `${start}/${w.page}${end}`;
        const answer = await w.raw('GET', url, { query: { fields: 'id', ...token } });
        same(`answer of ${url}`, answer.json, { id: w.page });
        if (start) same('facebook-api-version', answer.headers['facebook-api-version'], start.slice(1));
      }
    }
  });
  await w.step('POST with method=delete is a DELETE', async () => {
    const answer = await w.raw('POST', `/${VERSION}/${s.id}`, { query: { method: 'delete', ...token } });
    same('the answer', answer.json, OK);
    same('status', (await w.node(Campaign, s.id, user.api).get(['status'])).status, 'DELETED');
  });
  await w.step('an unknown method= is refused', async () => {
    refusedRaw(await w.raw('POST', `/${VERSION}/${s.id}`, { query: { method: 'fly', ...token } }), { code: 100 });
  });
});
