// System users: the story of one from its making to its end, and assignments.

import sdk from 'facebook-nodejs-business-sdk';
import { ADS, Business, PAGES, SystemUser, User, check, proven, refused, same, scene, union } from './harness.mjs';

const { AdAccount, AdsPixel, Page, PagePost, ProductCatalog } = sdk;
const OK = { success: true };

scene('a system user acts on a Page, and is cut off', async (w, s) => {
  await w.step('an ADMIN token creates a regular system user', async () => {
    const made = await w.node(Business, w.business).createSystemUser([], {
      name: w.unique('publishing robot'), role: SystemUser.Role.employee,
    });
    check(/^\d+$/.test(made.id) && typeof made.id === 'string', `its id is ${JSON.stringify(made.id)}`);
    s.user = made.id;
    w.later(`system user ${s.user}`, () => w.admin.call('DELETE', [s.user]));
  });
  await w.step('the app is installed on it', async () => {
    same('the answer', await w.admin.call('POST', [s.user, 'applications'], { business_app: w.app.id }), OK);
  });
  await w.step('a Page is assigned to it', async () => {
    await w.node(Page, w.page).createAssignedUser([], {
      user: s.user, tasks: [Page.Tasks.create_content], business: w.business,
    });
  });
  await w.step('a token is issued for it', async () => {
    const made = await w.node(User, s.user).createAccessToken([], {
      business_app: w.app.id, scope: union(PAGES, ADS), ...proven(w.adminToken, w.app.secret),
    });
    const answer = w.hide(made._data);
    check(String(answer.access_token ?? '').length > 20, 'no access_token in the answer');
    check(/^\d+$/.test(answer.token_id), `token_id is ${JSON.stringify(answer.token_id)}`);
    same('expires_at of a token without end', answer.expires_at, 0);
    s.api = w.api(answer.access_token);
  });
  await w.step('the new token publishes a post', async () => {
    s.message = w.unique('Hello from a robot, with ümlauts & signs = 100 %');
    const post = await w.node(Page, w.page, s.api).createFeed([], { message: s.message });
    check(post.id.startsWith(`${w.page}_`), `the post's id is ${post.id}`);
    s.post = post.id;
    w.later(`post ${s.post}`, () => w.node(PagePost, s.post).delete());
  });
  await w.step('the new token reads the post back', async () => {
    const post = await w.node(PagePost, s.post, s.api).get(['id', 'message', 'created_time']);
    same('message', post.message, s.message);
    check(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$/.test(post.created_time), `created_time is ${post.created_time}`);
  });
  await w.step("the post is first in the Page's feed", async () => {
    const feed = await w.node(Page, w.page, s.api).getFeed(['id', 'message'], { limit: 5 });
    check(feed.map(row => row.id).includes(s.post), 'the post is not among the newest five');
  });
  await w.step('it is refused on the ad account, with the reason', async () => {
    const error = await refused(() => w.node(AdAccount, w.adAccount, s.api).getCampaigns(), {
      code: 200, reason: 'asset_not_assigned', type: 'OAuthException', missing: { asset: /./ },
    });
    check(String(error.error_data.granted_by).includes('ADMIN'), `granted_by is ${error.error_data.granted_by}`);
  });
  await w.step('all its tokens are revoked', async () => {
    same('the answer', await w.admin.call('DELETE', [s.user, 'access_tokens']), OK);
  });
  await w.step('the revoked token is refused with 190, subcode 467', () => refused(() => s.api.call('GET', ['me']), {
    code: 190, subcode: 467, reason: 'token_revoked', type: 'OAuthException', text: 'Error validating access token',
  }));
  await w.step("the revoked token can't publish", () => refused(
    () => w.node(Page, w.page, s.api).createFeed([], { message: 'late' }), { code: 190, subcode: 467 },
  ));
});

scene('system users are listed, renamed, switched off and deleted', async (w, s) => {
  const user = await w.worker(PAGES, { [w.page]: ['CREATE_CONTENT'] });
  const business = w.node(Business, w.business);
  const read = fields => w.node(SystemUser, user.id).get(fields);
  await w.step('the list shows it with id, name and role by default', async () => {
    const rows = await business.getSystemUsers(undefined, { limit: 5000 });
    const mine = rows.filter(row => row.id === user.id);
    same('rows of this user', mine.length, 1);
    same('row', [mine[0]._data.name, mine[0]._data.role], [user.name, 'EMPLOYEE']);
  });
  await w.step('the list carries summary.total_count', async () => {
    const rows = await business.getSystemUsers(['id'], { limit: 5000, summary: true });
    same('total_count', rows.summary?.total_count, rows.length);
  });
  await w.step('it is renamed the way Meta documents it', async () => {
    s.name = w.unique('renamed robot');
    const answer = await business.createSystemUser([], { system_user_id: user.id, name: s.name });
    same('id in the answer', answer.id, user.id);
    const got = await read(['id', 'name', 'role']);
    same('user', [got.name, got._data.role], [s.name, 'EMPLOYEE']);
  });
  await w.step('it is renamed on its own node', async () => {
    const name = w.unique('renamed again');
    same('the answer', await w.node(SystemUser, user.id).update({ name }), OK);
    same('name', (await read(['name'])).name, name);
  });
  await w.step('switched off, its token is refused with 190, subcode 459', async () => {
    await w.admin.call('POST', [user.id], { status: 'DEACTIVATED' });
    await refused(() => user.api.call('GET', ['me']), { code: 190, subcode: 459, reason: 'user_deactivated' });
  });
  await w.step('switched on again, the same token works', async () => {
    await w.admin.call('POST', [user.id], { status: 'ACTIVE' });
    same('me', (await user.api.call('GET', ['me'])).id, user.id);
  });
  await w.step('an ADMIN can be made and needs no assignment', async () => {
    s.boss = (await w.createUser('ADMIN')).id;
    await w.install(s.boss);
    const api = w.api((await w.issue(s.boss, PAGES)).access_token);
    same('id', (await w.node(Page, w.otherPage, api).get(['id', 'name'])).id, w.otherPage);
  });
  await w.step("it can't delete or switch off itself", async () => {
    const { access_token: own } = await w.issue(s.boss, ['business_management', ...PAGES]);
    await refused(() => w.api(own).call('DELETE', [s.boss]), { code: [100, 200] });
  });
  await w.step('deleted, it is gone for its token and for the ADMIN', async () => {
    same('the answer', await w.node(SystemUser, user.id).delete(), OK);
    await refused(() => user.api.call('GET', ['me']), { code: 190, subcode: 467, reason: 'user_deleted' });
    await refused(() => read(['id']), { code: 100, subcode: 33, type: 'GraphMethodException' });
  });
});

// Kind, class, the asset's name in World, first and second set of tasks, and
// the edge of the system user that lists such assets. The sets avoid tasks
// that imply others, so that what is read back is exactly what was written.
const KINDS = [
  ['Page', Page, 'page', ['ANALYZE', 'CREATE_CONTENT'], ['MODERATE'], 'assigned_pages'],
  ['ad account', AdAccount, 'adAccount', ['ADVERTISE', 'ANALYZE'], ['ANALYZE'], 'assigned_ad_accounts'],
  ['catalog', ProductCatalog, 'catalog', ['ADVERTISE'], ['AA_ANALYZE'], 'assigned_product_catalogs'],
  ['pixel', AdsPixel, 'pixel', ['EDIT', 'UPLOAD'], ['UPLOAD'], 'assigned_pixels'],
];

scene('assets of four kinds are assigned, re-assigned and taken back', async w => {
  const user = await w.createUser();
  const who = { user: user.id, business: w.business };
  for (const [kind, node, name, first, second, edge] of KINDS) {
    const id = w[name];
    // A fresh object each time: the SDK's objects gather what they have seen.
    const asset = () => w.node(node, id);
    const onAsset = async () => {
      const rows = await asset().getAssignedUsers(['id', 'name', 'tasks'], {
        business: w.business, limit: 5000, summary: true,
      });
      same('summary.total_count', rows.summary?.total_count, rows.length);
      return rows.filter(row => row.id === user.id).map(row => row._data);
    };
    const onUser = async () => {
      const answer = await w.admin.call('GET', [user.id, edge], { limit: 5000, summary: true });
      same('summary.total_count', answer.summary?.total_count, answer.data.length);
      return Object.fromEntries(answer.data.map(row => [row.id, new Set(row.tasks)]));
    };
    await w.step(`${kind}: assigned, it shows on the asset`, async () => {
      await asset().createAssignedUser([], { ...who, tasks: first });
      const rows = await onAsset();
      same('rows', rows.map(row => [row.name, new Set(row.tasks)]), [[user.name, new Set(first)]]);
    });
    await w.step(`${kind}: assigned, it shows on the system user`, async () => {
      same(edge, await onUser(), { [id]: new Set(first) });
    });
    await w.step(`${kind}: assigned again, the set is replaced`, async () => {
      await asset().createAssignedUser([], { ...who, tasks: second });
      same('tasks', new Set((await onAsset())[0].tasks), new Set(second));
      same(edge, await onUser(), { [id]: new Set(second) });
    });
    await w.step(`${kind}: an unknown task is refused and changes nothing`, async () => {
      await refused(() => asset().createAssignedUser([], { ...who, tasks: ['FLY'] }), {
        code: 100, text: 'must be one of',
      });
      same('tasks', new Set((await onAsset())[0].tasks), new Set(second));
    });
    await w.step(`${kind}: taken back, it is gone from both sides`, async () => {
      if (asset().deleteAssignedUsers) await asset().deleteAssignedUsers({ ...who });
      else await w.unassign(id, user.id); // the SDK has no such call for pixels
      same('rows', await onAsset(), []);
      same(edge, await onUser(), {});
    });
  }
});

scene("the SDK's own classes list what is assigned", async w => {
  const user = await w.createUser();
  await w.assign(w.page, user.id, ['MODERATE']);
  await w.assign(w.adAccount, user.id, ['ANALYZE']);
  await w.assign(w.catalog, user.id, ['AA_ANALYZE']);
  for (const [what, read, want, task] of [
    ['assigned_pages', 'getAssignedPages', w.page, 'MODERATE'],
    ['assigned_ad_accounts', 'getAssignedAdAccounts', w.adAccount, 'ANALYZE'],
    ['assigned_product_catalogs', 'getAssignedProductCatalogs', w.catalog, 'AA_ANALYZE'],
  ]) {
    await w.step(`SystemUser reads ${what} with tasks`, async () => {
      const rows = await w.node(SystemUser, user.id)[read]();
      same('rows', rows.map(row => [row.id, row._data.tasks]), [[want, [task]]]);
    });
  }
  await w.step('a regular system user reads its own assigned_pages', async () => {
    await w.install(user.id);
    const api = w.api((await w.issue(user.id, PAGES)).access_token);
    same('ids', (await w.node(User, 'me', api).getAssignedPages()).map(row => row.id), [w.page]);
  });
});

scene('narrowing an assignment bites at once', async (w, s) => {
  const user = await w.worker(PAGES, { [w.page]: ['CREATE_CONTENT'] });
  const publish = async text => {
    const { id } = await w.node(Page, w.page, user.api).createFeed([], { message: text });
    w.later(`post ${id}`, () => w.node(PagePost, id).delete());
    return id;
  };
  await w.step('with the task, it publishes', () => publish(w.unique('while I may')));
  await w.step('with another task, it is refused and told which one is missing', async () => {
    await w.assign(w.page, user.id, ['MODERATE']);
    await refused(() => publish('no longer'), {
      code: 200, reason: 'task_missing', missing: { task: 'CREATE_CONTENT' },
    });
  });
  await w.step('with no assignment, it is refused as not assigned', async () => {
    await w.unassign(w.page, user.id);
    await refused(() => publish('no longer'), { code: 200, reason: 'asset_not_assigned' });
  });
  await w.step('assigned again, the same token publishes again', async () => {
    await w.assign(w.page, user.id, ['CREATE_CONTENT']);
    s.again = await publish(w.unique('and again'));
  });
  await w.step('its own post can be edited and deleted', async () => {
    const post = () => w.node(PagePost, s.again, user.api);
    const message = w.unique('edited');
    same('the answer', await post().update([], { message }), OK);
    same('message', (await post().get(['message'])).message, message);
    same('the answer', await post().delete(), OK);
    await refused(() => post().get(['id']), { code: 100, subcode: 33 });
  });
});
