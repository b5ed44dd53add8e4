// The whole job of a system user, told by the official Node SDK.
//
//     node story.mjs --demo valetkey-data/demo/demo.json [--only TEXT] [--list]
//
// Prints one line for each check and `N passed, N failed` at the end; the exit
// code is 1 if anything failed and 2 if the demo file can't be used.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { SCENES, VERSION, World, same } from './harness.mjs';
import './scenes-users.mjs';
import './scenes-tokens.mjs';
import './scenes-content.mjs';
import './scenes-refusals.mjs';
import './scenes-adapters.mjs';

const SDK_WANTED = '24.0.1';
const USAGE = 'usage: node story.mjs --demo PATH [--only TEXT] [--list]';

function options() {
  try {
    return parseArgs({
      options: { demo: { type: 'string' }, only: { type: 'string' }, list: { type: 'boolean' } },
    }).values;
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    return null;
  }
}

function readDemo(path) {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`can't read ${path}: ${error.code}; is the demo running?`);
  }
  try {
    return new World(JSON.parse(text));
  } catch (error) {
    throw new Error(`${path} can't be used: ${error.message}`);
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
  if (!chosen.demo || !scenes.length) {
    console.error(chosen.demo ? `no scene's title contains ${chosen.only}; see --list` : USAGE);
    return 2;
  }
  let world;
  try {
    world = readDemo(chosen.demo);
  } catch (error) {
    console.error(error.message);
    return 2;
  }
  const { version } = createRequire(import.meta.url)('facebook-nodejs-business-sdk/package.json');
  console.log(`# facebook-nodejs-business-sdk ${version}, ${VERSION}, ${world.base}`);
  await world.step('the SDK is the pinned one', async () => same('SDK version', version, SDK_WANTED));
  if (!(await world.reachable())) return world.finish();
  for (const one of scenes) await world.play(one);
  return world.end();
}

process.exitCode = await main();
