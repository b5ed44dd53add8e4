// Starts and ends the server that is tested: the demo, or one that was set up
// a moment ago.
//
// It never waits without a limit, and what the server printed is kept for the
// case that a scene fails.

import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 20_000;
const TURN_MS = 25;
const KEPT_CHARS = 20_000;
const run = promisify(execFile);

/** Settings of the user's own server must not reach this one. */
const surroundings = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VALETKEY_')));
const pause = () => new Promise(done => setTimeout(done, TURN_MS));
const plain = text => text.replace(/\u001b\[[0-9;]*m/g, '');

export class Server {
  /** A company with people, assets, system users and a partner, as `valetkey demo` makes it. */
  static async demo(binary, folder, started) {
    const data = join(folder, 'demo');
    const server = new Server(binary, data, ['demo', '--port', '0', '--data', data]);
    started(server);
    const file = join(data, 'demo.json');
    await server.until('the demo writes demo.json and answers', async () => {
      if (!existsSync(file)) return false;
      server.facts = JSON.parse(readFileSync(file, 'utf8'));
      server.base = server.facts.base_url.replace(/\/$/, '');
      return server.healthy();
    });
    // It prints its screen last.
    await server.until('the demo prints its screen', async () => server.printed.includes('Ctrl-C stops it'));
    return server;
  }

  /** A server of one's own: one business, one admin person, and nothing else. */
  static async fresh(binary, folder, { business = 'Fresh Cycles', email = 'ada@example.com' } = {}, started) {
    const data = join(folder, 'own');
    const words = ['init', '--business', business, '--admin-email', email, '--data', data];
    mkdirSync(folder, { recursive: true });
    const { stdout } = await run(binary, [...words, '--json'], { env: surroundings() });
    const server = new Server(binary, data, ['serve', '--data', data, '--port', '0']);
    started(server);
    server.facts = JSON.parse(stdout);
    await server.until('the server says its address and answers', async () => {
      server.base = server.printed.match(/serves (https?:\/\/[^\s,]+)/)?.[1];
      return server.base !== undefined && server.healthy();
    });
    return server;
  }

  constructor(binary, data, words) {
    Object.assign(this, { binary, data, printed: '', facts: {}, base: undefined });
    this.child = spawn(binary, words, { env: surroundings(), stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', bytes => {
        this.printed = plain(this.printed + bytes).slice(-KEPT_CHARS);
      });
    }
    this.over = new Promise(done => {
      this.child.once('error', error => done(`could not be started: ${error.message}`));
      this.child.once('exit', (code, signal) => done(signal ? `signal ${signal}` : `exit code ${code}`));
    });
    this.over.then(how => {
      this.ended = how;
    });
  }

  async until(what, look) {
    const deadline = Date.now() + START_LIMIT_MS;
    for (;;) {
      if (await look()) return;
      if (this.ended) throw new Error(`${what}: it ended before, with ${this.ended}: ${this.printed.slice(-600)}`);
      if (Date.now() > deadline) throw new Error(`${what}: not within ${START_LIMIT_MS / 1000} s`);
      await pause();
    }
  }

  async healthy() {
    try {
      return (await fetch(`${this.base}/healthz`)).ok;
    } catch {
      return false;
    }
  }

  /** The address that browsers use: a passkey can't belong to an IP address. */
  get origin() {
    return `http://localhost:${new URL(this.base).port}`;
  }

  /** The sign-in link that the server printed when it started. */
  link() {
    return this.printed.match(/https?:\/\/\S+\/console\/sign-in\?code=\S+/)?.[0];
  }

  /** The sign-in link of a code. */
  linkOf(code) {
    return `${this.origin}/console/sign-in?code=${encodeURIComponent(code)}`;
  }

  /** A verb of the command line, as the operator of this server. Answers what it printed as JSON. */
  async verb(...words) {
    const { stdout } = await run(this.binary, [...words, '--data', this.data, '--json'], { env: surroundings() });
    return JSON.parse(stdout);
  }

  /** A new sign-in code for a person, by its id or e-mail address. */
  async codeFor(person) {
    return (await this.verb('person', 'sign-in', person)).code;
  }

  /** A command of the JSON API with somebody's token. */
  async command(token, name, body) {
    const response = await fetch(`${this.base}/v1/commands/${name}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    const json = await response.json();
    if (!response.ok) throw new Error(`${name} was refused, HTTP ${response.status}: ${JSON.stringify(json)}`);
    return json;
  }

  /** Stops it as an operator would; answers how it ended. */
  async stop() {
    if (this.ended) return this.ended;
    this.child.kill('SIGTERM');
    const late = new Promise(done => {
      this.timer = setTimeout(() => done('still running'), STOP_LIMIT_MS);
    });
    const how = await Promise.race([this.over, late]);
    clearTimeout(this.timer);
    if (!this.ended) this.child.kill('SIGKILL');
    return how;
  }
}
