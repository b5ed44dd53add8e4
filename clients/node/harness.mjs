// What every scene of the story shares: steps, the demo's data, and clean-up.
//
// The SDK is used as it is published; the one thing set here is the address
// that it talks to. Tokens and secrets must never reach the output, so every
// line passes through `World.say`, which masks them.

import { createHmac, randomBytes } from 'node:crypto';
import sdk from 'facebook-nodejs-business-sdk';

export const { FacebookAdsApi, Business, SystemUser, User } = sdk;
export const VERSION = FacebookAdsApi.VERSION;
const STEP_LIMIT_MS = 60_000;

// Scope sets with everything that each scope leans on, so that issuing them
// is never refused for a missing companion.
export const PAGES = ['pages_show_list', 'pages_read_engagement', 'pages_manage_posts'];
export const ADS = ['ads_read', 'ads_management', 'pages_show_list', 'pages_read_engagement'];
export const BUSINESS = ['business_management', 'pages_show_list', 'pages_read_engagement'];
export const union = (...lists) => [...new Set(lists.flat())].sort();

export const SCENES = [];
/** Registers a function as a scene; scenes know nothing of each other. */
export const scene = (title, play) => SCENES.push({ title, play });

/** A check that did not hold; its text is what the reader sees. */
export class Failed extends Error {}

export function check(holds, why) {
  if (!holds) throw new Failed(why);
}

const sorted = value =>
  Array.isArray(value) ? value.map(sorted)
    : value instanceof Set ? [...value].sort()
      : value && typeof value === 'object'
        ? Object.fromEntries(Object.keys(value).sort().map(key => [key, sorted(value[key])]))
        : value;
const shown = value => JSON.stringify(sorted(value)) ?? 'absent';

export function same(what, got, want) {
  check(shown(got) === shown(want), `${what} is ${shown(got)}, not ${shown(want)}`);
}

export const proof = (token, secret) => createHmac('sha256', secret).update(token).digest('hex');
/** The parameter that the SDK has no setting for. */
export const proven = (token, secret) => ({ appsecret_proof: proof(token, secret) });
const httpFor = code => ({ 190: 401, 10: 403, 200: 403 })[code] ?? 400;

/** Holds one error envelope against what is expected of it. */
export function checkError(error, status, headers, want) {
  const { code, subcode, reason, missing, type, text } = want;
  const seen = `${error?.code}/${error?.error_subcode} ${JSON.stringify(error?.message)}`;
  check([code].flat().includes(error?.code), `refused with ${seen}, not with code ${code}`);
  if (subcode !== undefined) same(`error_subcode of ${seen}`, error.error_subcode, subcode);
  same(`HTTP status of ${seen}`, status, httpFor(error.code));
  check(typeof error.message === 'string' && error.message, 'the error has no message');
  check(typeof error.type === 'string', `${seen} has no type`);
  check(typeof error.fbtrace_id === 'string' && error.fbtrace_id, `${seen} has no fbtrace_id`);
  check(!error.is_transient, `${seen} calls itself transient`);
  if (type) same(`type of ${seen}`, error.type, type);
  if (text) check(error.message.includes(text), `message ${shown(error.message)} lacks ${shown(text)}`);
  if ([10, 200].includes(error.code)) {
    check(error.message.includes('permission'), `${seen} lacks the word that connectors look for`);
  }
  if (headers) {
    const kind = headers['content-type'] ?? '';
    check(kind.includes('json'), `content type of ${seen} is ${shown(kind)}`);
    if (status === 401 || status === 403) {
      const asked = headers['www-authenticate'] ?? '';
      check(asked.startsWith('OAuth "Facebook Platform"'), `WWW-Authenticate of ${seen} is ${shown(asked)}`);
    }
  }
  const data = error.error_data ?? {};
  check(typeof data === 'object' && !Array.isArray(data), `error_data of ${seen} is no object`);
  if (reason) {
    same(`reason of ${seen}`, data.reason, reason);
    check(error.error_user_msg, `${seen} says nothing to the user`);
  }
  for (const [key, wanted] of Object.entries(missing ?? {})) {
    const got = data.missing?.[key];
    const ok = wanted instanceof RegExp ? wanted.test(String(got ?? '')) : got === wanted;
    check(ok, `error_data.missing of ${seen} is ${shown(data.missing)}`);
  }
}

/** Runs an SDK call that must be refused, and checks how it is refused. */
export async function refused(call, want) {
  let answer;
  try {
    answer = await call();
  } catch (error) {
    if (error?.name !== 'FacebookRequestError' || !error.status) throw error;
    checkError(error.response, error.status, error.headers, want);
    return error.response;
  }
  const answered = shown(answer?._data ?? answer).slice(0, 200);
  throw new Failed(`was accepted, but must be refused with ${want.code}: ${answered}`);
}

/** The same for an answer that was fetched without the SDK. */
export function refusedRaw(response, want) {
  const error = response.json?.error;
  check(error, `was accepted, but must be refused with ${want.code}: ${response.text.slice(0, 200)}`);
  checkError(error, response.status, response.headers, want);
  return error;
}

/** The stable reason of a refusal by an adapter that isn't Graph. */
export const reasonIn = response =>
  response.headers['valetkey-reason'] ?? response.text.match(/"reason"\s*:\s*"([a-z_]+)"/)?.[1];

export const bearer = (token, more = {}) => ({ Authorization: `Bearer ${token}`, ...more });

/** What a scene's earlier steps leave for its later ones. */
const kept = () => new Proxy({}, {
  get(target, name) {
    if (name in target || typeof name === 'symbol') return target[name];
    throw new Failed(`needs \`${name}\` from an earlier step, which failed`);
  },
});

/** The running server, as the demo's file describes it. */
export class World {
  constructor(demo) {
    const need = (value, name) => {
      if (value === undefined || value === null) throw new Error(`no demo.json: ${name} is absent`);
      return value;
    };
    this.demo = demo;
    this.base = need(demo.base_url, 'base_url').replace(/\/$/, '');
    this.business = need(demo.business?.id, 'business.id');
    this.app = need(demo.app, 'app');
    this.secondApp = need(demo.second_app, 'second_app');
    this.partner = need(demo.partner, 'partner');
    this.page = need(demo.pages?.[0]?.id, 'pages[0].id');
    this.otherPage = need(demo.pages?.[1]?.id, 'pages[1].id');
    this.adAccount = need(demo.ad_accounts?.[0]?.id, 'ad_accounts[0].id');
    this.otherAdAccount = need(demo.ad_accounts?.[1]?.id, 'ad_accounts[1].id');
    this.catalog = need(demo.catalog?.id, 'catalog.id');
    this.pixel = need(demo.pixel?.id, 'pixel.id');
    this.adminToken = need(demo.admin_system_user?.token, 'admin_system_user.token');
    this.run = Date.now().toString(36) + randomBytes(3).toString('hex');
    Object.assign(this, { count: 0, passed: 0, failed: 0, undo: [], leftovers: [], hidden: new Set() });
    this.hide(demo);
    Object.defineProperty(FacebookAdsApi, 'GRAPH', { get: () => this.base, configurable: true });
    // A proxy of the surroundings must not sit between us and the server.
    for (const name of ['NO_PROXY', 'no_proxy']) {
      process.env[name] = [process.env[name], new URL(this.base).hostname].filter(Boolean).join(',');
    }
    this.admin = this.api(this.adminToken);
  }

  // Output.

  /** Remembers every token and secret inside a value, to mask it. */
  hide(value, key = '') {
    if (value && typeof value === 'object') {
      for (const [name, inner] of Object.entries(value)) this.hide(inner, Array.isArray(value) ? key : name);
    } else if (typeof value === 'string' && value.length > 5 && /token$|secret|sign_in/.test(key)) {
      this.hidden.add(value);
    }
    return value;
  }

  say(text) {
    for (const value of [...this.hidden].sort((a, b) => b.length - a.length)) {
      text = text.replaceAll(value, '***').replaceAll(encodeURIComponent(value), '***');
    }
    console.log(text.replace(/\s+/g, ' ').trim());
  }

  /** One named check; a failure is told and the scene goes on. */
  async step(name, play) {
    let timer;
    const limit = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Failed(`no end after ${STEP_LIMIT_MS} ms`)), STEP_LIMIT_MS);
    });
    try {
      await Promise.race([play(), limit]);
      this.passed += 1;
      this.say(`ok - ${name}`);
      return true;
    } catch (error) {
      this.failed += 1;
      this.say(`not ok - ${name}: ${this.explain(error)}`);
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  explain(error) {
    if (error instanceof Failed) return error.message;
    if (error?.name === 'FacebookRequestError') {
      const where = `${error.method} ${String(error.url).split('?')[0]}`;
      return error.status
        ? `${where} was refused, HTTP ${error.status}: ${JSON.stringify(error.response).slice(0, 500)}`
        : `${where}: ${error.message}`;
    }
    const line = error?.stack?.split('\n').find(row => row.includes('scenes-'))?.match(/([\w-]+\.mjs:\d+)/)?.[1];
    return `${error?.name}: ${error?.message}${line ? ` (${line})` : ''}`;
  }

  // Ways to call.

  /** An SDK session of its own for one token; the crash reporter stays off. */
  api(token) {
    return new FacebookAdsApi(token, 'en_US', false);
  }

  /** The SDK's object for an id, bound to one session. */
  node(kind, id, api = this.admin) {
    return new kind(id, {}, null, api);
  }

  /** A call without the SDK, for what the SDK can't say. */
  async raw(method, path, { query = {}, headers = {}, body } = {}) {
    const url = new URL(path.startsWith('http') ? path : this.base + path);
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    const response = await fetch(url, {
      method, headers, body, redirect: 'manual', signal: AbortSignal.timeout(STEP_LIMIT_MS / 2),
    });
    const text = await response.text();
    let json = null;
    try {
      json = JSON.parse(text);
    } catch {
      // Whoever needs an object says so.
    }
    return { status: response.status, headers: Object.fromEntries(response.headers), text, json };
  }

  // Things to act with.

  unique(word) {
    this.count += 1;
    return `${word} ${this.run}-${this.count}`;
  }

  /** Queues the clean-up of something that was just made. */
  later(what, call) {
    this.undo.push({ what, call });
  }

  async createUser(role = 'EMPLOYEE') {
    const name = this.unique('story robot');
    const { id } = await this.node(Business, this.business).createSystemUser([], { name, role });
    this.later(`system user ${id}`, () => this.admin.call('DELETE', [id]));
    return { id, name };
  }

  install(user, app = this.app.id) {
    return this.admin.call('POST', [user, 'applications'], { business_app: app });
  }

  assign(asset, user, tasks) {
    return this.admin.call('POST', [asset, 'assigned_users'], { user, tasks, business: this.business });
  }

  unassign(asset, user) {
    return this.admin.call('DELETE', [asset, 'assigned_users'], { user, business: this.business });
  }

  /** Issues a token the way Meta's guide does, proof included. */
  async issue(user, scopes, { app = this.app.id, api = this.admin, ...more } = {}) {
    const params = { business_app: app, scope: scopes.join(',') };
    if (api === this.admin) Object.assign(params, proven(this.adminToken, this.app.secret));
    const answer = await api.call('POST', [user, 'access_tokens'], { ...params, ...more });
    check(answer?.access_token, 'issuing answered no access_token');
    return this.hide(answer);
  }

  /** A regular system user with its app, its assets (id → tasks), and one token. */
  async worker(scopes, assets = {}, app = this.app.id) {
    const user = await this.createUser();
    await this.install(user.id, app);
    for (const [asset, tasks] of Object.entries(assets)) await this.assign(asset, user.id, tasks);
    const answer = await this.issue(user.id, scopes, { app });
    return { ...user, token: answer.access_token, tokenId: answer.token_id, api: this.api(answer.access_token) };
  }

  // The run.

  async cleanUp() {
    while (this.undo.length) {
      const { what, call } = this.undo.pop();
      try {
        await call();
      } catch (error) {
        const gone = error?.response?.code === 100 && error?.response?.error_subcode === 33;
        if (!gone) this.leftovers.push(`${what}: ${this.explain(error)}`);
      }
    }
  }

  async play({ title, play }) {
    console.log(`# ${title}`);
    try {
      await play(this, kept());
    } catch (error) {
      this.failed += 1;
      this.say(`not ok - ${title}, its set-up: ${this.explain(error)}`);
    } finally {
      await this.cleanUp();
    }
  }

  /** Whether a server answers at all, told as the first step. */
  reachable() {
    return this.step(`a server answers at ${this.base}`, async () => {
      let response;
      try {
        response = await this.raw('GET', `/${VERSION}/me`);
      } catch (error) {
        throw new Failed(`nothing answers (${error.cause?.code ?? error.name}); start it with `
          + '`valetkey demo` and pass the demo.json that it writes');
      }
      refusedRaw(response, { code: 2500 });
    });
  }

  async end() {
    await this.step('everything that the story made is deleted again', async () => {
      check(this.leftovers.length === 0, this.leftovers.join('; '));
    });
    return this.finish();
  }

  finish() {
    console.log(`${this.passed} passed, ${this.failed} failed`);
    return this.failed ? 1 : 0;
  }
}
