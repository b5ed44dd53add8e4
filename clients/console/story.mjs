// The console, used by people: by mouse, by keyboard, without script, and by
// those who mean no good.
//
//     node story.mjs --binary target/debug/valetkey [--temp DIR] [--only TEXT] [--list]
//
// It starts the servers that it needs, and ends them. Prints one line for each
// check and `N passed, N failed` at the end; the exit code is 1 if anything
// failed and 2 if it can't begin. `SCREENSHOTS=DIR` keeps pictures of pages.

import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { SCENES, World } from './harness.mjs';
import './scenes-link.mjs';
import './scenes-main.mjs';
import './scenes-partners.mjs';
import './scenes-refusals.mjs';
import './scenes-people.mjs';
import './scenes-hostile.mjs';
import './scenes-secrets.mjs';
import './scenes-looks.mjs';

const USAGE = 'usage: node story.mjs --binary PATH [--temp DIR] [--only TEXT] [--list]';

function options() {
  const text = { type: 'string' };
  try {
    return parseArgs({ options: { binary: text, temp: text, only: text, list: { type: 'boolean' } } }).values;
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    return null;
  }
}

async function main() {
  const chosen = options();
  if (!chosen) return 2;
  const scenes = SCENES.filter(({ title }) => !chosen.only || title.includes(chosen.only));
  if (chosen.list) {
    for (const { title } of scenes) console.log(title);
    return 0;
  }
  if (!chosen.binary || !existsSync(chosen.binary) || !scenes.length) {
    console.error(scenes.length ? USAGE : `no scene's title contains ${chosen.only}; see --list`);
    return 2;
  }
  const world = new World(chosen);
  try {
    await world.open();
  } catch (error) {
    world.say(`not ok - the browser starts: ${error.message}`);
    world.failed += 1;
    return world.end();
  }
  world.note(`Chromium ${world.browser.version}`);
  for (const one of scenes) await world.play(one);
  return world.end();
}

process.exitCode = await main();
