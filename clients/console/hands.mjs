// How a person acts on a page: with the mouse, or with the keyboard alone.
//
// Both count what they do, so that a path can be said in clicks or keys. The
// keyboard never sets the focus by script: what Tab doesn't reach doesn't exist.

const MOST_TABS = 250;

/** A model of a hand (Card, Moran, Newell): seconds to think, point, press, and type a character. */
const THINK_S = 1.35;
const POINT_S = 1.1;
const PRESS_S = 0.2;
const TYPE_S = 0.28;

class Hand {
  constructor(page) {
    Object.assign(this, { page, acts: 0, chars: 0, started: Date.now(), trail: [] });
  }

  begin() {
    Object.assign(this, { acts: 0, chars: 0, started: Date.now(), trail: [] });
  }

  act(what) {
    this.acts += 1;
    this.trail.push(what);
  }

  /** Seconds that passed, in which the pages were waited for. */
  get seconds() {
    return (Date.now() - this.started) / 1000;
  }

  /** About how long a person takes: its own time after the model, and the pages' time as measured. */
  get estimate() {
    return this.acts * (THINK_S + POINT_S + PRESS_S) + this.chars * TYPE_S + this.seconds;
  }
}

const nameOf = element => element.evaluate(node =>
  (node.getAttribute('aria-label') ?? node.labels?.[0]?.innerText ?? node.innerText ?? node.name ?? node.tagName)
    .trim().split('\n')[0].slice(0, 40));

export class Mouse extends Hand {
  verb = 'clicks';

  async press(element) {
    this.act(await nameOf(element));
    await element.click();
  }

  /** Types into a field; the click is counted unless the page has put the focus there. */
  async type(element, text) {
    await element.waitFor();
    if (!(await element.evaluate(node => node === node.ownerDocument.activeElement))) await this.press(element);
    this.chars += text.length;
    await element.fill(text);
  }

  /** Ticks a box, switch or radio unless it is ticked. */
  async tick(element) {
    await element.waitFor();
    if (await element.isChecked()) return;
    this.act(await nameOf(element));
    await element.setChecked(true);
  }
}

export class Keyboard extends Hand {
  verb = 'keys besides Tab';

  /** Presses Tab until the element has the focus. */
  async reach(element) {
    await element.waitFor();
    const there = () => element.evaluate(node => node === node.ownerDocument.activeElement);
    for (let tabs = 0; tabs <= MOST_TABS; tabs += 1) {
      if (await there()) return;
      await this.page.keyboard.press('Tab');
    }
    throw new Error(`Tab never reaches ${await nameOf(element)}`);
  }

  async key(name, what) {
    this.act(`${name} on ${what}`);
    await this.page.keyboard.press(name);
  }

  async press(element) {
    await this.reach(element);
    await this.key('Enter', await nameOf(element));
  }

  async type(element, text) {
    await this.reach(element);
    this.chars += text.length;
    await this.page.keyboard.press('Control+a');
    await this.page.keyboard.type(text);
  }

  async tick(element) {
    await element.waitFor();
    if (await element.isChecked()) return;
    await this.reach(element);
    await this.key('Space', await nameOf(element));
  }
}
