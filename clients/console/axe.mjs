// Asks axe about a page as it is, in light and dark, wide and narrow.
//
// The pages' policy refuses scripts from elsewhere, so axe comes in through the
// browser's own wire.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export const LOOKS = [1440, 390].flatMap(width => ['light', 'dark'].map(scheme => ({ width, scheme })));

/** Gives the page another look, without loading it anew. */
export async function dress(page, { width, scheme }) {
  await page.setViewportSize({ width, height: width < 600 ? 844 : 900 });
  await page.emulateMedia({ colorScheme: scheme });
}

/** What axe finds now, a line for each place. */
export async function axe(page) {
  await page.evaluate(SOURCE);
  const found = await page.evaluate(tags => window.axe.run(document, { runOnly: tags, resultTypes: ['violations'] })
    .then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(node => ({
      id,
      target: node.target.flat().join(' '),
      why: [...node.any, ...node.all, ...node.none].map(check => check.message).join(' '),
    })))), TAGS);
  return found.map(({ id, target, why }) => `${id} at ${target}: ${why.slice(0, 160)}`);
}

/** What axe finds in all four looks. The page keeps the last of them. */
export async function axeInAllLooks(page) {
  const lines = [];
  for (const look of LOOKS) {
    await dress(page, look);
    for (const line of await axe(page)) lines.push(`${look.scheme} at ${look.width}: ${line}`);
  }
  return lines;
}
