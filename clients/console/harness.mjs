// What every scene shares: steps, checks, servers, the browser, and clean-up.
//
// Tokens, codes and secrets must never reach the output, so every line passes
// through `World.say`, which masks them.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Browser } from './browser.mjs';
import { Server } from './server.mjs';
import { TOKENS } from './words.mjs';

const STEP_LIMIT_MS = 120_000;

export const SCENES = [];
/** Registers a function as a scene. Each gets visitors and, if it asks, a server of its own. */
export const scene = (title, play) => SCENES.push({ title, play });

/** A check that did not hold; its text is what the reader sees. */
export class Failed extends Error {}

export function check(holds, why) {
  if (!holds) throw new Failed(why);
}

const shown = value => JSON.stringify(value) ?? 'absent';

export function same(what, got, want) {
  check(shown(got) === shown(want), `${what} is ${shown(got)}, not ${shown(want)}`);
}

/** What a scene's earlier steps leave for its later ones. */
const kept = () => new Proxy({}, {
  get(target, name) {
    if (name in target || typeof name === 'symbol') return target[name];
    throw new Failed(`needs \`${name}\` from an earlier step, which failed`);
  },
});

export class World {
  constructor({ binary, temp }) {
    this.binary = binary;
    this.temp = mkdtempSync(join(temp ?? tmpdir(), 'valetkey-console-'));
    Object.assign(this, { passed: 0, failed: 0, count: 0, hidden: new Set(), servers: [], company: undefined });
  }

  async open() {
    this.browser = await Browser.launch();
  }

  // Output.

  /** Remembers a secret, to mask it. */
  hide(secret) {
    if (secret) this.hidden.add(secret);
    return secret;
  }

  say(text) {
    let line = String(text).replace(TOKENS, '***');
    for (const secret of this.hidden) line = line.replaceAll(secret, '***');
    console.log(line.replace(/\s+/g, ' ').trim());
  }

  note(text) {
    this.say(`# ${text}`);
  }

  /** One named check; a failure is shown and the scene goes on. */
  async step(name, play) {
    let timer;
    const limit = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Failed(`no end after ${STEP_LIMIT_MS / 1000} s`)), STEP_LIMIT_MS);
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
    const line = error?.stack?.split('\n').find(row => /(scenes-|path|hands)[\w-]*\.mjs/.test(row));
    const place = line?.match(/([\w-]+\.mjs:\d+)/)?.[1];
    // The browser's library adds a long log; its first lines say what was waited for.
    const text = String(error?.message ?? error).replace(/\u001b\[[0-9;]*m/g, '').split('\n').slice(0, 6).join(' ');
    return `${text.slice(0, 700)}${place ? ` (${place})` : ''}`;
  }

  // Servers.

  folder() {
    this.count += 1;
    return join(this.temp, `server-${this.count}`);
  }

  /** A server that was set up a moment ago. It ends with the run. */
  async fresh(options) {
    const server = await Server.fresh(this.binary, this.folder(), options, one => this.servers.push(one));
    this.hide(server.facts.sign_in);
    return server;
  }

  /** The demo: one for all scenes, which leave it as they found it or use names of their own. */
  async demo() {
    if (!this.company) {
      this.company = await Server.demo(this.binary, this.folder(), one => this.servers.push(one));
      const { app, second_app: second, partner, sign_in: code } = this.company.facts;
      [app.secret, second.secret, partner.app.secret, code].forEach(secret => this.hide(secret));
    }
    return this.company;
  }

  unique(word) {
    this.count += 1;
    return `${word} ${this.count}`;
  }

  // The browser.

  /** Somebody with a browser of its own on a server; closed, and held to being clean, with its scene. */
  async visitor(server, options = {}) {
    const visitor = await this.browser.visitor(server, options);
    this.visitors.push(visitor);
    return visitor;
  }

  // The run.

  async play({ title, play }) {
    console.log(`# ${title}`);
    const start = Date.now();
    this.visitors = [];
    try {
      await play(this, kept());
    } catch (error) {
      this.failed += 1;
      this.say(`not ok - ${title}, its set-up: ${this.explain(error)}`);
    }
    const noises = [];
    for (const visitor of this.visitors) {
      noises.push(...visitor.noises);
      await visitor.close();
    }
    await this.step('no page wrote an error or asked a foreign host', async () => {
      check(noises.length === 0, [...new Set(noises)].slice(0, 5).join('; '));
    });
    this.note(`${title}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
  }

  async end() {
    await this.browser?.close();
    for (const server of this.servers) {
      await this.step(`the server at ${server.base} ends well when asked`, async () => {
        same('its end', await server.stop(), 'exit code 0');
      });
    }
    rmSync(this.temp, { recursive: true, force: true });
    console.log(`${this.passed} passed, ${this.failed} failed`);
    return this.failed ? 1 : 0;
  }
}
