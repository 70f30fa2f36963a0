// SPDX-License-Identifier: Apache-2.0
// Passkeys in Debian's Chromium, with an authenticator of the browser's own making (W3C Web Authentication Level 3, 11).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { World } from './world.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let world;
let home; // browsers have passkeys for localhost, and for no IP address
let page; // with the authenticator in it
let devices;
let authenticatorId;
before(async () => {
  world = await World.start();
  home = world.url.replace('127.0.0.1', 'localhost');
  await (await world.page()).context().close();
  page = await stranger();
  devices = await page.context().newCDPSession(page);
  await devices.send('WebAuthn.enable');
  const options = {
    protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true,
  };
  ({ authenticatorId } = await devices.send('WebAuthn.addVirtualAuthenticator', { options }));
  await page.goto((await world.link()).replace('127.0.0.1', 'localhost'));
  await heading('Overview');
});
after(() => world?.stop());

async function stranger() {
  const context = await world.browser.newContext({ reducedMotion: 'reduce' });
  context.setDefaultTimeout(60_000);
  return context.newPage();
}
const heading = (name, of = page) => of.getByRole('heading', { name, exact: true }).waitFor();
const button = (name) => page.getByRole('button', { name, exact: true });
async function account() {
  await page.goto(`${home}/account`);
  await page.getByRole('heading', { name: 'Passkeys' }).waitFor();
}
async function signOut() {
  await button('Sign out').click();
  await heading('Sign in to Muster');
}
async function complaintsOfAxe() {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  return violations.map((each) => `${each.id} ${each.nodes[0].html.slice(0, 160)}`);
}
async function credential() {
  const { credentials } = await devices.send('WebAuthn.getCredentials', { authenticatorId });
  assert.equal(credentials.length, 1);
  return credentials[0];
}
/** The same key in another device, whose counter stands there. */
async function putCounter(signCount) {
  const copy = { ...(await credential()), signCount };
  await devices.send('WebAuthn.removeCredential', { authenticatorId, credentialId: copy.credentialId });
  await devices.send('WebAuthn.addCredential', { authenticatorId, credential: copy });
}
async function audited(action) {
  return (await world.api('GET', '/audit?limit=1000')).items.filter((row) => row.action === action);
}

test('an operator adds a passkey, and signs in with it without a name', async () => {
  await account();
  await page.getByLabel('Name of the passkey').fill('virtual key');
  await button('Add a passkey').click();
  await page.getByText('The passkey is added').waitFor();
  await page.getByRole('listitem').filter({ hasText: 'virtual key' }).waitFor();
  assert.deepEqual(await complaintsOfAxe(), []);
  const made = await credential();
  assert.equal(made.rpId, 'localhost');
  assert.equal(made.isResidentCredential, true);
  assert.equal(Buffer.from(made.userHandle, 'base64').length, 32);
  assert.equal((await world.api('GET', '/passkeys')).items[0].used_at, null);

  await signOut();
  assert.deepEqual(await complaintsOfAxe(), []);
  await button('Sign in with a passkey').click();
  await heading('Overview');
  assert.notEqual((await world.api('GET', '/passkeys')).items[0].used_at, null);
  assert.equal((await audited('sign_in')).filter((row) => row.details.with === 'passkey').length, 1);
  assert.equal((await audited('passkey.add')).length, 1);
});

test('the same authenticator is not added twice', async () => {
  await account();
  await page.getByLabel('Name of the passkey').fill('again');
  await button('Add a passkey').click();
  await page.getByText('This device or key has a passkey of yours already.').waitFor();
  assert.equal((await world.api('GET', '/passkeys')).items.length, 1);
});

test('a deep link is where the passkey leads to', async () => {
  await signOut();
  await page.goto(`${home}/doctor`);
  await heading('Sign in to Muster');
  await button('Sign in with a passkey').click();
  await heading('Doctor');
});

test('a counter that goes back is refused and told in the audit log', async () => {
  await signOut();
  const { signCount } = await credential();
  assert.ok(signCount > 1, 'this authenticator counts');
  await putCounter(0);
  await button('Sign in with a passkey').click();
  await page.getByText('The passkey is not known here, or was not proved.').waitFor();
  const rows = await audited('passkey.counter_refused');
  assert.equal(rows.length, 1);
  assert.equal(rows[0].details.last_counter, signCount);
  await putCounter(signCount + 10);
  await button('Sign in with a passkey').click();
  await heading('Overview');
});

test('a user whom the authenticator did not verify stays out', async () => {
  await signOut();
  await devices.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
  await button('Sign in with a passkey').click();
  await page.getByText('No passkey was used').waitFor();
  await devices.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
  await button('Sign in with a passkey').click();
  await heading('Overview');
});

test('with a password, a passkey is added by who knows it', async () => {
  await world.api('PUT', '/me/password', { password: 'correct horse battery' });
  await account();
  await page.getByLabel('Name of the passkey').fill('another');
  await page.getByLabel('Your password').fill('correct horse batterz');
  await button('Add a passkey').click();
  await page.getByText('is not your password').waitFor();
  assert.equal((await world.api('GET', '/passkeys')).items.length, 1);
});

test('a passkey is renamed, and once it is removed it is refused', async () => {
  await account();
  await button('Rename virtual key').click();
  await page.getByLabel('Name', { exact: true }).fill('old key');
  await button('Rename').click();
  await page.getByRole('listitem').filter({ hasText: 'old key' }).waitFor();
  await button('Remove old key').click();
  await button('Remove').click();
  await page.getByText('old key signs nobody in any more').waitFor();
  assert.equal((await world.api('GET', '/passkeys')).items.length, 0);
  await signOut();
  await button('Sign in with a passkey').click();
  await page.getByText('The passkey is not known here, or was not proved.').waitFor();
  assert.equal((await audited('passkey.remove')).length, 1);
});

test('where there can be no passkeys nothing offers them', async () => {
  const atAddress = await stranger();
  await atAddress.goto(world.url);
  await heading('Sign in to Muster', atAddress);
  assert.equal(await atAddress.getByRole('button', { name: 'Sign in with a passkey' }).count(), 0);
  await atAddress.goto(await world.link());
  await heading('Overview', atAddress);
  await atAddress.goto(`${world.url}/account`);
  await atAddress.getByText('This browser makes none for this address').waitFor();
  assert.equal(await atAddress.getByRole('button', { name: 'Add a passkey' }).count(), 0);
  await atAddress.context().close();

  const old = await stranger();
  await old.addInitScript(() => delete window.PublicKeyCredential);
  await old.goto(home);
  await heading('Sign in to Muster', old);
  assert.equal(await old.getByRole('button', { name: 'Sign in with a passkey' }).count(), 0);
  await old.context().close();
});
