// SPDX-License-Identifier: Apache-2.0
// Single sign-on in Debian's Chromium, with a real provider of identities (npm's oidc-provider) on loopback.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { Provider } from 'oidc-provider';
import { World } from './world.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const secret = 'a secret that the two share';

let provider; // its server; who is asked for on its sign-in page is who signs in
let world;
let page;
before(async () => {
  // Another site than the server's, 127.0.0.1, as in life: what is Strict does not come along from there.
  provider = createServer();
  await new Promise((resolve) => provider.listen(0, '127.0.0.1', resolve));
  const issuer = `http://localhost:${provider.address().port}`;
  world = await World.start(
    (data) => `
[egress]
allow = ["127.0.0.0/8", "::1/128"]
plain_http = ["localhost"]
[oidc]
issuer = "${issuer}"
client_id = "muster"
client_secret_file = "${data}/oidc-secret"
name = "Example ID"
`,
    { 'oidc-secret': `${secret}\n` },
  );
  const configured = new Provider(issuer, {
    clients: [{ client_id: 'muster', client_secret: secret, redirect_uris: [`${world.url}/sign-in/oidc`] }],
    pkce: { methods: ['S256'], required: () => true },
    claims: { openid: ['sub'], email: ['email'] },
    // Else what a scope asks for is at the userinfo endpoint alone.
    conformIdTokenClaims: false,
    cookies: { keys: ['for this test'] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.org` }) }),
  });
  provider.on('request', configured.callback());
  await (await world.page()).context().close();
  page = await stranger();
});
after(async () => {
  await world?.stop();
  provider.closeAllConnections();
  provider.close();
});

async function stranger() {
  const context = await world.browser.newContext({ reducedMotion: 'reduce' });
  context.setDefaultTimeout(60_000);
  return context.newPage();
}
const heading = (name, of = page) => of.getByRole('heading', { name, exact: true }).waitFor();
const button = (name, of = page) => of.getByRole('button', { name, exact: true });
async function complaintsOfAxe() {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  return violations.map((each) => `${each.id} ${each.nodes[0].html.slice(0, 160)}`);
}
/** On the provider's own pages: its sign-in form, where it has no session of the browser's yet, and its consent. */
async function signInThere(who, of = page) {
  await of.locator('input[name=login]').fill(who);
  await of.locator('input[name=password]').fill('any');
  await of.locator('button[type=submit]').click();
  await consent(of);
}
async function consent(of = page) {
  await of.getByRole('button', { name: 'Continue' }).click();
}
async function signOut(of = page) {
  await button('Sign out', of).click();
  await heading('Sign in to Muster', of);
}
async function audited(action) {
  return (await world.api('GET', '/audit?limit=1000')).items.filter((row) => row.action === action);
}
const cookies = async (of = page) => Object.fromEntries((await of.context().cookies(world.url)).map((each) => [each.name, each]));

test('an account that nobody linked opens nothing', async () => {
  await page.goto(world.url);
  await heading('Sign in to Muster');
  await button('Sign in with Example ID').waitFor();
  assert.deepEqual(await complaintsOfAxe(), []);
  await button('Sign in with Example ID').click();
  await signInThere('ada');
  await page.getByText('No operator is linked to this account of the provider').waitFor();
  assert.equal(new URL(page.url()).search, '', 'the code is out of the address');
  assert.deepEqual(await complaintsOfAxe(), []);
  await button('Back to signing in').click();
  await heading('Sign in to Muster');
});

test('an operator links an account', async () => {
  await page.goto(await world.link());
  await heading('Overview');
  await page.goto(`${world.url}/account`);
  await button('Link an account of Example ID').waitFor();
  assert.deepEqual(await complaintsOfAxe(), []);
  await button('Link an account of Example ID').click();
  // The provider knows this browser, and what it agreed to, from the test before.
  await page.getByText('The account is linked').waitFor();
  await page.getByRole('listitem').filter({ hasText: 'ada@example.org' }).waitFor();
  assert.equal(new URL(page.url()).pathname, '/account');
  const [identity] = (await world.api('GET', '/identities')).items;
  assert.equal(identity.subject, 'ada');
  assert.equal(identity.used_at, null);
  assert.equal((await audited('identity.link')).length, 1);
});

test('and signs in with it, to where it was', async () => {
  await signOut();
  await page.goto(`${world.url}/doctor`);
  await heading('Sign in to Muster');
  await button('Sign in with Example ID').click();
  await heading('Doctor');
  const held = await cookies();
  assert.equal(held['muster-session'].sameSite, 'Strict');
  assert.equal(held['muster-session'].httpOnly, true);
  assert.equal(held['muster-oidc'].sameSite, 'Strict');
  assert.equal((await audited('sign_in')).filter((row) => row.details.with === 'identity').length, 1);
  assert.notEqual((await world.api('GET', '/identities')).items[0].used_at, null);
});

test('from another browser the same account signs in, and another does not', async () => {
  const other = await stranger();
  await other.goto(world.url);
  await button('Sign in with Example ID', other).click();
  await signInThere('ada', other);
  await heading('Overview', other);
  await other.context().close();
  const bob = await stranger();
  await bob.goto(world.url);
  await button('Sign in with Example ID', bob).click();
  await signInThere('bob', bob);
  await bob.getByText('No operator is linked').waitFor();
  await bob.context().close();
});

test('whose account is refused at the provider is told so', async () => {
  const other = await stranger();
  await other.goto(world.url);
  await button('Sign in with Example ID', other).click();
  await other.getByText('Cancel').click();
  await other.getByText('The provider says that you refused').waitFor();
  await other.context().close();
});

test('an address with a code of somebody else signs nobody in', async () => {
  // Login CSRF: the attacker's own code and state, for a browser that began nothing.
  const attacker = await stranger();
  let address;
  attacker.on('request', (request) => {
    if (request.url().startsWith(`${world.url}/sign-in/oidc?`)) address = request.url();
  });
  await attacker.route('**/api/v1/sessions/oidc', (route) => (route.request().method() === 'POST' ? route.abort() : route.continue()));
  await attacker.goto(world.url);
  await button('Sign in with Example ID', attacker).click();
  await signInThere('ada', attacker);
  await attacker.getByText('The server cannot be reached.').waitFor(); // so the code is not used yet
  assert.match(address, /\bcode=.*\bstate=/);
  await attacker.context().close();
  const victim = await stranger();
  await victim.goto(address);
  await victim.getByText('was not begun in this browser').waitFor();
  assert.equal('muster-session' in (await cookies(victim)), false);
  await victim.context().close();
});

test('the last way in stays, and with another one it is unlinked', async () => {
  await page.goto(`${world.url}/account`);
  await button('Unlink ada@example.org').click();
  await button('Unlink').click();
  await page.getByText('It is your last way in beside your token').waitFor();
  await world.api('PUT', '/me/password', { password: 'correct horse battery' });
  await page.goto(`${world.url}/account`);
  await page.getByLabel('Your password, to link').waitFor();
  await button('Unlink ada@example.org').click();
  await button('Unlink').click();
  await page.getByText('ada@example.org signs nobody in any more').waitFor();
  assert.equal((await world.api('GET', '/identities')).items.length, 0);
  assert.equal((await audited('identity.unlink')).length, 1);
  await signOut();
  await button('Sign in with Example ID').click();
  await page.getByText('No operator is linked').waitFor();
});

test('the other ways stay, and the secret is in no log', async () => {
  await page.goto(world.url);
  await heading('Sign in to Muster');
  assert.equal(world.lines.some((line) => line.includes(secret)), false);
  await page.getByLabel('Name', { exact: true }).fill('bootstrap');
  await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
  await button('Sign in').click();
  await heading('Overview');
});
