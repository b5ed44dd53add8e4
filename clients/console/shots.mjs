// Pictures of a page, made only when `SCREENSHOTS` names a folder.
//
// Tokens of a picture belong to a server that ended with the run.

import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { WIDE } from './browser.mjs';

const WIDTHS = [1440, 1024, 390];
const HEIGHT = { 1440: 900, 1024: 768, 390: 844 };
/** A page that is longer is cut: nobody looks at 10,000 rows. */
const MOST_PX = 4_000;
const SMALLER = ['--quality=70-95', '--speed', '1', '--strip', '--force', '--ext', '.png'];
const run = promisify(execFile);

export const wanted = () => Boolean(process.env.SCREENSHOTS);

/** Pictures of the page as it is: light at three widths, and dark for the main ones. */
export async function shots(page, name, { dark = false } = {}) {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.evaluate(() => document.activeElement?.blur());
  for (const scheme of dark ? ['light', 'dark'] : ['light']) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: HEIGHT[width] });
      // What stays in place while the page scrolls must stand where it does at the top.
      const length = await page.evaluate(() => {
        scrollTo(0, 0);
        return document.documentElement.scrollHeight;
      });
      const height = Math.min(Math.max(length, HEIGHT[width]), MOST_PX);
      const bytes = await page.screenshot({
        animations: 'disabled', caret: 'hide', fullPage: true, clip: { x: 0, y: 0, width, height },
      });
      const file = join(folder, `${name}-${width}${scheme === 'dark' ? '-dark' : ''}.png`);
      writeFileSync(file, bytes);
      await run('pngquant', [...SMALLER, file]).catch(error => {
        // 99: the picture is already as small as its quality allows.
        if (error.code !== 99) throw new Error(`pngquant: ${error.stderr || error.message}`);
      });
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(WIDE);
}
