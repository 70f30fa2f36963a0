// SPDX-License-Identifier: Apache-2.0
// The audit log: who did what to this, when, and the proof of it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { settled, World } from './world.mjs';

let world;
let page;
let keys; // two of the default organisation, the first of them revoked
before(async () => {
  world = await World.start();
  keys = [await world.api('POST', '/keys', { name: 'site-oslo' }), await world.api('POST', '/keys', { name: 'site-rome' })];
  await world.api('DELETE', `/keys/${keys[0].id}`);
  page = await world.page();
});
after(() => world?.stop());

async function open(path) {
  await page.goto(world.url + path);
  await page.getByRole('main').waitFor();
  await settle();
}
async function settle() {
  await settled(page);
}
const rows = () => page.getByRole('table', { name: 'Audit log' }).locator('tbody tr:not([aria-hidden])');
/** Action and target of each row. */
async function told() {
  const cells = await rows().evaluateAll((all) => all.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.innerText.trim())));
  return cells.map(([, , action, target]) => `${action} ${target}`);
}
const query = () => Object.fromEntries(new URL(page.url()).searchParams);

test('the audit log is exported whole, with the heads that the page shows', async () => {
  await open('/audit');
  const shown = (await page.locator('pre').innerText()).trim().split('\n');
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export with proof' }).click();
  const lines = (readFileSync(await (await saved).path(), 'utf8')).trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(lines.filter((line) => line.head).map((line) => line.head), shown);
  assert.equal(lines.filter((line) => line.next_cursor !== undefined).length, 1);
  assert.equal(lines.at(-1).next_cursor, null);
});

test('a filter by action and target leaves what was done to that, and stands in the address', async () => {
  await open('/audit');
  assert.ok((await rows().count()) > 3);
  await page.getByLabel('Action (keys.revoke)').fill('keys.create');
  await page.waitForURL((url) => url.searchParams.get('action') === 'keys.create');
  await settle();
  assert.deepEqual(await told(), [`keys.create ${keys[1].id}`, `keys.create ${keys[0].id}`]);
  await page.getByLabel('On, exactly as a row has it').fill(String(keys[0].id));
  await page.waitForURL((url) => url.searchParams.get('target') === String(keys[0].id));
  await settle();
  assert.deepEqual(await told(), [`keys.create ${keys[0].id}`]);
  assert.deepEqual(query(), { action: 'keys.create', target: String(keys[0].id) });
  await page.reload();
  await settle();
  assert.deepEqual(await told(), [`keys.create ${keys[0].id}`], 'the address alone says it');
  await page.getByLabel('Action (keys.revoke)').fill('keys.crea');
  await page.getByText('Nobody did such a thing').waitFor();
});

test('a row leads to all that was done to the same, and to all that its actor did', async () => {
  await open(`/audit?action=keys.revoke`);
  await rows().getByRole('link', { name: String(keys[0].id), exact: true }).click();
  await page.waitForURL((url) => url.searchParams.get('target') === String(keys[0].id));
  assert.deepEqual(query(), { action: 'keys.revoke', target: String(keys[0].id) });
  await open(`/audit?target=${keys[0].id}`);
  assert.deepEqual(await told(), [`keys.revoke ${keys[0].id}`, `keys.create ${keys[0].id}`]);
  const [entry] = (await world.api('GET', `/audit?target=${keys[0].id}`)).items;
  await rows().first().getByRole('link', { name: entry.actor_name, exact: true }).click();
  await page.waitForURL((url) => url.searchParams.get('actor') === entry.actor);
  await settle();
  assert.equal(await page.getByLabel('Who', { exact: true }).inputValue(), entry.actor);
  assert.equal((await told()).length, 2);
});

test('who is chosen by name, and the server is one of them', async () => {
  const { operator_id: id } = await world.api('GET', '/me');
  await open('/audit');
  const who = page.getByLabel('Who', { exact: true });
  await who.selectOption('server');
  await page.waitForURL((url) => url.searchParams.get('actor') === 'server');
  await settle();
  assert.ok((await told()).every((each) => !each.startsWith('keys.')));
  assert.ok((await rows().count()) > 0, 'it made the first operator');
  await who.selectOption(`operator:${id}`);
  await page.waitForURL((url) => url.searchParams.get('actor') === `operator:${id}`);
  await settle();
  assert.ok((await told()).includes(`keys.revoke ${keys[0].id}`));
  // What no list has is still said, not shown as everybody.
  await open('/audit?actor=key:7');
  assert.equal(await who.inputValue(), 'key:7');
  await page.getByText('Nobody did such a thing').waitFor();
});

test('days are from one on and before another', async () => {
  const { items } = await world.api('GET', '/audit?action=keys.revoke');
  const day = (offset) => new Date(Date.parse(items[0].at.slice(0, 10)) + offset * 86_400_000).toISOString().slice(0, 10);
  for (const [from, to, found] of [[0, 1, true], [-1, 0, false], [1, 2, false]]) {
    await open(`/audit?action=keys.revoke&since=${day(from)}&until=${day(to)}`);
    assert.equal(await page.getByLabel('From').inputValue(), day(from));
    assert.equal((await told()).length, found ? 1 : 0, `from ${day(from)} to ${day(to)}`);
  }
  assert.deepEqual(page.complaints, []);
});
