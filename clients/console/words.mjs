// Where pages are, and what their buttons, fields and sentences say.
//
// Scenes look for roles and visible words, as a person does. All of them stand
// here, so that a changed label is one changed line.

/** Addresses. Names in capitals are replaced by `path`. */
export const AT = {
  home: '/console',
  signIn: '/console/sign-in',
  you: '/console/you',
  systemUsers: '/console/system-users',
  newSystemUser: '/console/system-users/new',
  systemUser: '/console/system-users/USER',
  assign: '/console/system-users/USER/assign',
  token: '/console/system-users/USER/token',
  partners: '/console/partners',
  partner: '/console/partners/PARTNER',
  share: '/console/partners/share',
  assets: '/console/assets?kind=KIND',
  asset: '/console/assets/ASSET',
  app: '/console/apps/APP',
  refusals: '/console/refusals',
  refusal: '/console/refusals/TRACE',
  access: '/console/access',
  activity: '/console/activity',
};

/** An address with its names in capitals filled in: `path(AT.asset, { ASSET: '7' })`. */
export const path = (address, values = {}) =>
  Object.entries(values).reduce((text, [name, value]) => text.replace(name, encodeURIComponent(value)), address);

/** Buttons, and links that look like buttons. */
export const PRESS = {
  signIn: /^Sign in as /,
  createApp: 'Create app',
  secretCopied: /^I have copied it/,
  acceptTerms: /^Accept (version|terms)/,
  addSystemUser: 'Add system user',
  createSystemUser: 'Create system user',
  assignAssets: 'Assign assets',
  showTasks: 'Show their tasks',
  reviewChanges: 'Review changes',
  saveChanges: /^Save \d+ changes?$/,
  generateToken: 'Generate token',
  copyToken: 'Copy token',
  revokeInRow: /^Revoke\b/,
  revokeToken: /^Revoke \d+ tokens?$/,
  grantThis: 'Grant this',
  shareAssets: 'Share assets',
  review: 'Review',
  share: /^(Share|Save)\b/,
  endInRow: /^End the share of/,
  stopSharing: /^Stop sharing/,
  goOn: 'Go on with the form',
  signOut: 'Sign out',
};

export const FIELD = {
  name: /^Name/,
  purpose: 'What it is for',
  business: /^ID of the partner/,
  secret: 'The secret',
  token: 'The token',
};

/** Tables by their captions. */
export const TABLE = { tokens: 'Live tokens' };

/** Sentences that a page must say. */
export const SAYS = {
  whatFor: /A system user is an identity for software/,
  noApp: /No app is connected/,
  linkUsed: /was used|already used/,
  signedOut: 'You are signed out',
  sessionEnded: 'Your session ended',
  revoked: /(is|are) revoked/,
  stillRefused: /still refused/i,
  wouldPass: /would pass/i,
  shownOnce: /only time it is shown/,
  whatStops: 'What stops at once',
  shareEnded: /The share is ended/,
  meanwhile: /somebody else changed|renamed meanwhile/i,
};

/** What tokens look like, so that they are found on a page and masked in output. */
export const TOKEN = /\bvkey(?:su|pg|us|co)_[0-9A-Za-z]{39}\b/;
export const TOKENS = new RegExp(TOKEN.source, 'g');

const user = '/console/system-users/USER';
const person = '/console/people/PERSON';
const asset = '/console/assets/ASSET';
const app = '/console/apps/APP';

/** Each page that has an address of its own, with the name of its pictures; `dark` for the main ones. */
export const PAGES = [
  ['system-users', AT.systemUsers, { dark: true }],
  ['system-user-new', AT.newSystemUser],
  ['system-user', user, { dark: true }],
  ['assign', `${user}/assign?asset=ASSET`, { dark: true }],
  ['token-new', `${user}/token`, { dark: true }],
  ['revoke', `${user}/revoke`],
  ['system-user-status', `${user}/status`],
  ['system-user-delete', `${user}/delete`],
  ['people', '/console/people'],
  ['person-new', '/console/people/new'],
  ['person', person],
  ['person-assign', `${person}/assign`],
  ['person-role', `${person}/role`],
  ['person-status', `${person}/status`],
  ['person-remove', `${person}/remove`],
  ['partners', AT.partners],
  ['share', AT.share],
  ['pages', path(AT.assets, { KIND: 'page' })],
  ['ad-accounts', path(AT.assets, { KIND: 'ad_account' })],
  ['asset', asset],
  ['asset-new', '/console/assets/new?kind=page'],
  ['asset-rename', `${asset}/rename`],
  ['asset-delete', `${asset}/delete`],
  ['post', '/console/content/POST'],
  ['campaign', '/console/content/CAMPAIGN'],
  ['apps', '/console/apps'],
  ['app-new', '/console/apps/new'],
  ['app', app],
  ['app-scopes', `${app}/scopes`],
  ['app-proof', `${app}/proof`],
  ['app-secret-new', `${app}/secret`],
  ['app-disconnect', `${app}/disconnect`],
  ['app-delete', `${app}/delete`],
  ['tokens', '/console/tokens', { dark: true }],
  ['token', '/console/tokens/TOKEN'],
  ['token-find', '/console/tokens/find'],
  ['refusals', AT.refusals],
  ['refusal', AT.refusal, { dark: true }],
  ['access', AT.access, { dark: true }],
  ['activity', AT.activity],
  ['search', '/console/search?q=alder'],
  ['security', '/console/security'],
  ['business', '/console/business'],
  ['terms', '/console/terms'],
  ['you', AT.you],
];
