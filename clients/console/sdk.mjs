// What a customer's program does with a token: the official Node SDK, unmodified
// except for the address that it talks to.

import sdk from 'facebook-nodejs-business-sdk';
import { Failed, same } from './harness.mjs';

const { AdAccount, FacebookAdsApi, Page } = sdk;
let base;
Object.defineProperty(FacebookAdsApi, 'GRAPH', { get: () => base, configurable: true });
// A proxy of the surroundings must not sit between us and the server.
for (const name of ['NO_PROXY', 'no_proxy']) {
  process.env[name] = [process.env[name], '127.0.0.1', 'localhost'].filter(Boolean).join(',');
}

/** A program that holds a token. Programs of two servers take turns; their calls never overlap. */
export class Program {
  constructor(server, token) {
    this.base = server.base;
    this.api = new FacebookAdsApi(token, 'en_US', false);
  }

  async publish(page, message) {
    base = this.base;
    return (await new Page(page, {}, null, this.api).createFeed([], { message })).id;
  }

  async read(id, fields = ['id']) {
    base = this.base;
    return (await new Page(id, {}, null, this.api).get(fields))._data;
  }

  async campaigns(account) {
    base = this.base;
    return (await new AdAccount(account, {}, null, this.api).getCampaigns(['id'])).map(campaign => campaign.id);
  }
}

/** Runs a call that must be refused; answers the error that the SDK got. */
export async function refused(call, { code, reason }) {
  let answer;
  try {
    answer = await call();
  } catch (error) {
    if (error?.name !== 'FacebookRequestError' || !error.status) throw error;
    same('the code of the refusal', error.response.code, code);
    if (reason) same('its reason', error.response.error_data?.reason, reason);
    return error.response;
  }
  throw new Failed(`was accepted, but must be refused with ${code}: ${JSON.stringify(answer?._data ?? answer)}`);
}
