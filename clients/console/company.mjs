// The demo's company: what the names in capitals of addresses stand for there.

import { Program, refused } from './sdk.mjs';

const made = new WeakMap();

/** Values for `path`, found once for each server; the refusal that `TRACE` names is made for it. */
export function placeholders(demo) {
  if (!made.has(demo)) made.set(demo, find(demo));
  return made.get(demo);
}

async function find(demo) {
  const { facts } = demo;
  const [poster, reporter] = facts.system_users;
  const { rows: people } = await demo.verb('person', 'list', '--business', facts.business.id);
  const { rows: tokens } = await demo.verb('token', 'list', '--user', poster.id);
  const program = new Program(demo, poster.token);
  const post = await program.publish(facts.pages[0].id, 'The new Heron is here, in moss green.');
  const error = await refused(() => program.publish(facts.pages[1].id, 'not mine'), { code: 200 });
  const campaigns = await new Program(demo, reporter.token).campaigns(facts.ad_accounts[0].id);
  return {
    USER: poster.id,
    PERSON: people.find(one => one.role === 'EMPLOYEE').id,
    PARTNER: facts.partner.business.id,
    ASSET: facts.pages[0].id,
    APP: facts.app.id,
    TOKEN: tokens[0].id,
    // The Graph writes the Page's id before it.
    POST: post.split('_').pop(),
    CAMPAIGN: campaigns[0],
    TRACE: error.fbtrace_id,
  };
}
