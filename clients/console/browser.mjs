// Debian's Chromium, and the people who use it.
//
// Each visitor has cookies of its own. Whatever a page writes as an error, and
// every request to another host, is kept as a noise, and fails the scene unless
// the scene said that it expects it.

import { chromium } from 'playwright-core';
import { Mouse } from './hands.mjs';
import { AT, PRESS } from './words.mjs';

const PROGRAM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const WAIT_MS = 15_000;
export const WIDE = { width: 1440, height: 900 };

const FLAGS = [
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--force-color-profile=srgb', '--font-render-hinting=none',
];

/** Everything in which two machines differ is set, so that pictures and times read the same. */
const LIKE_EVERYWHERE = {
  locale: 'en-GB', timezoneId: 'Europe/Berlin', reducedMotion: 'reduce', colorScheme: 'light', viewport: WIDE,
};

export class Browser {
  static async launch() {
    const options = { executablePath: PROGRAM, args: FLAGS };
    const browser = new Browser();
    browser.usual = await chromium.launch(options);
    browser.options = options;
    browser.version = browser.usual.version();
    return browser;
  }

  /** The browser with its back-forward cache, which the library switches off. */
  async remembering() {
    this.second ??= await chromium.launch({
      ...this.options, ignoreDefaultArgs: ['--disable-back-forward-cache'],
    });
    return this.second;
  }

  /**
   * Somebody with a browser. `script: false` switches JavaScript off, `expected` are noises that
   * belong to the scene, `state` is a signed-in session, `backForward` keeps pages for the back button.
   */
  async visitor(server, { script = true, expected = [], state, backForward = false, viewport = WIDE } = {}) {
    const browser = backForward ? await this.remembering() : this.usual;
    const context = await browser.newContext({
      ...LIKE_EVERYWHERE, viewport, baseURL: server.origin, javaScriptEnabled: script, storageState: state,
    });
    context.setDefaultTimeout(WAIT_MS);
    const visitor = new Visitor(server, context, expected);
    await visitor.newPage();
    return visitor;
  }

  async close() {
    await this.usual.close();
    await this.second?.close();
  }
}

export class Visitor {
  constructor(server, context, expected) {
    Object.assign(this, { server, context, expected, noises: [] });
    context.on('page', page => this.listen(page));
    context.on('request', request => this.judge(request));
  }

  listen(page) {
    page.on('console', message => {
      if (message.type() === 'error') this.noise(`console: ${message.text()} at ${page.url().split('?')[0]}`);
    });
    page.on('pageerror', error => this.noise(`script: ${error.message}`));
  }

  judge(request) {
    const { protocol, host } = new URL(request.url());
    const own = new URL(this.server.origin).host;
    if (/^https?:$/.test(protocol) && host !== own) this.noise(`asked the foreign host ${host}`);
  }

  noise(text) {
    if (!this.expected.some(pattern => pattern.test(text))) this.noises.push(text);
  }

  async newPage() {
    this.page = await this.context.newPage();
    this.mouse = new Mouse(this.page);
    return this.page;
  }

  /** Goes to an address of the server, and answers the response. */
  goto(address) {
    return this.page.goto(address);
  }

  /** What the page shows below its navigation. */
  get main() {
    return this.page.getByRole('main');
  }

  /** Uses a sign-in link as a person does: opens it, and presses the button. */
  async signIn(link) {
    await this.goto(link);
    await this.main.getByRole('button', { name: PRESS.signIn }).click();
    await this.page.waitForURL(url => url.pathname !== AT.signIn);
  }

  /**
   * Signs in as a person of the server, by its id or e-mail address, with a new link. `returning`
   * goes on to where the open sign-in page would lead.
   */
  async signInAs(person, { returning = false } = {}) {
    const link = new URL(this.server.linkOf(await this.server.codeFor(person)));
    const back = returning && new URL(this.page.url()).searchParams.get('return_to');
    if (back) link.searchParams.set('return_to', back);
    await this.signIn(link.href);
  }

  /** The session, to hand it to another visitor. */
  state() {
    return this.context.storageState();
  }

  /** How many bytes came over the wire for a page, with an empty cache, and its HTTP status. */
  async weigh(address) {
    const wire = await this.context.newCDPSession(this.page);
    let bytes = 0;
    wire.on('Network.loadingFinished', event => {
      bytes += event.encodedDataLength;
    });
    await wire.send('Network.enable');
    await wire.send('Network.setCacheDisabled', { cacheDisabled: true });
    const response = await this.page.goto(address, { waitUntil: 'load' });
    await wire.detach();
    return { bytes, status: response.status() };
  }

  close() {
    return this.context.close();
  }
}
