// Looks at a page as axe does, as somebody with a keyboard does, and for pictures.

import { axeInAllLooks, dress } from './axe.mjs';
import { check } from './harness.mjs';
import { shots } from './shots.mjs';
import { tabbing } from './tabbing.mjs';

const WIDE = { width: 1440, scheme: 'light' };
const NARROW = { width: 390, scheme: 'light' };
/** A page may scroll down, and never sideways. */
const wider = page => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

const few = lines => [...new Set(lines)].slice(0, 6).join('; ');

/** Three steps for the page that is open, and its pictures if they are wanted. */
export async function look(w, visitor, name, { dark = false } = {}) {
  const { page } = visitor;
  await w.step(`${name}: axe finds nothing, light and dark, wide and narrow`, async () => {
    const found = await axeInAllLooks(page);
    check(found.length === 0, `${found.length} places: ${few(found)}`);
  });
  await w.step(`${name}: Tab reaches everything, in view, uncovered, with a ring`, async () => {
    const wrong = [];
    for (const one of [NARROW, WIDE]) {
      await dress(page, one);
      wrong.push(...(await tabbing(page)).map(line => `at ${one.width}: ${line}`));
    }
    check(wrong.length === 0, few(wrong));
  });
  await w.step(`${name}: it fits 390 pixels, and 320, which is 1280 at 400 %`, async () => {
    for (const width of [390, 320]) {
      await dress(page, { width, scheme: 'light' });
      const more = await wider(page);
      check(more <= 0, `at ${width} it is ${more} px too wide`);
    }
    await dress(page, WIDE);
  });
  await shots(page, name, { dark });
}
