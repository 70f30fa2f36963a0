// SPDX-License-Identifier: Apache-2.0
// How one gets from one thing to the next: from a finding to all that has it, from a row to all that is known of it,
// back to where one was; and where the keys are meanwhile.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { settled, World } from './world.mjs';

const hosts = 150; // more than a page of a list
let world;
let page;
before(async () => {
  world = await World.start();
  await world.seed(hosts);
  page = await world.page();
});
after(() => world?.stop());

async function settle(of = page) {
  await settled(of);
}
async function open(path, of = page) {
  await of.goto(world.url + path);
  await settle(of);
}
const rows = (name, of = page) => of.getByRole('table', { name, exact: true }).locator('tbody tr:not([aria-hidden])');
const focused = (of = page) => of.evaluate(() => document.activeElement?.getAttribute('href') ?? document.activeElement?.textContent?.trim());

test('whoever goes back is where they were in a list, with the keys on the row that they opened', async () => {
  await open('/hosts');
  for (let at = 1; at < 110; ) {
    at = await (await page.waitForFunction((before) => {
      scrollTo(0, document.body.scrollHeight);
      const first = Number(document.querySelector('.tools .muted').textContent.split('–')[0].replaceAll(',', ''));
      return first > before && first;
    }, at)).jsonValue();
  }
  const place = await page.evaluate(() => scrollY);
  const link = await page.evaluate(() => {
    const middle = [...document.querySelectorAll('tbody a.name')].find((each) => each.getBoundingClientRect().top > innerHeight / 2);
    middle.click();
    return middle.getAttribute('href');
  });
  await page.getByRole('tab', { name: 'Summary' }).waitFor();
  await page.getByRole('tab', { name: 'Findings' }).click();
  await settle();
  assert.equal(await page.evaluate(() => scrollY), 0, 'another page starts at its top');
  await page.goBack();
  await page.waitForFunction(([y, href]) => Math.abs(scrollY - y) < 3 && document.activeElement.getAttribute('href') === href, [place, link]);
  await page.keyboard.press('j');
  assert.notEqual(await focused(), link, 'the next row');
});

test('a question begins with its first field, and one that cannot be undone with the way out', async () => {
  await open('/enrolment');
  await page.getByRole('button', { name: 'New token' }).click();
  const field = page.getByLabel('Good for (hours)');
  assert.ok(await field.evaluate((each) => each === document.activeElement));
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await field.waitFor({ state: 'detached' });
  const active = (await world.api('GET', '/tokens?status=active')).total.value;
  await page.getByRole('button', { name: 'Revoke…' }).first().click();
  assert.equal(await focused(), 'Cancel');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal((await world.api('GET', '/tokens?status=active')).total.value, active);
  assert.equal(await focused(), 'Revoke…', 'the keys go on from where they were');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(await focused(), 'Revoke…');
});

test('a finding leads to its flaw on all hosts and in images, to its package and to its host', async () => {
  const [finding] = (await world.api('GET', '/findings?cve=CVE-2023-4863')).items;
  const all = (await world.api('GET', '/findings?cve=CVE-2023-4863&all=true')).total.value;
  const go = async (name) => {
    await open(`/findings/${finding.id}`);
    await page.getByRole('region', { name: 'Facts' }).getByRole('link', { name }).click();
    await settle();
  };
  await go('CVE-2023-4863 on all hosts');
  assert.equal(await page.locator('.total').innerText(), String(all));
  await go('in images');
  assert.equal(await rows('Images').count(), 1);
  await go(`${finding.package} on this host`);
  for (const text of await rows('Findings').allInnerTexts()) assert.ok(text.includes(finding.hostname) && text.includes(finding.package), text);
  await go('its versions in the fleet');
  for (const text of await rows('Software').allInnerTexts()) assert.ok(text.startsWith(finding.package), text);
  await page.getByRole('button', { name: `Not only ${finding.package}` }).click();
  await page.waitForURL((url) => url.search === '');
});

test('the advisory of a finding is a link to who publishes it, followed by people alone', async () => {
  const [finding] = (await world.api('GET', '/findings?cve=CVE-2023-4863')).items;
  await open(`/findings/${finding.id}`);
  const link = page.getByTitle('On security-tracker.debian.org');
  assert.equal(await link.getAttribute('href'), 'https://security-tracker.debian.org/tracker/CVE-2023-4863');
  assert.equal(await link.getAttribute('rel'), 'noreferrer');
  const asked = [];
  page.on('request', (request) => !request.url().startsWith(world.url) && asked.push(request.url()));
  await page.reload();
  await settle();
  assert.deepEqual(asked, []);
});

test('a package of a host leads to all hosts that have it, a task to its host', async () => {
  await open(`/hosts/web-004?tab=software&name=bash`);
  await page.getByRole('link', { name: 'bash', exact: true }).click();
  await settle();
  await rows('Software').getByTitle('Hosts that have it').first().click();
  await settle();
  assert.equal(await page.locator('.total').innerText(), String((await world.api('GET', '/hosts?query=package:bash')).total.value));
  await open('/tasks');
  const { hostname } = (await world.api('GET', '/tasks')).items[0];
  await rows('Tasks').first().getByRole('link', { name: hostname }).click();
  await page.getByRole('heading', { name: hostname }).waitFor();
});

test('an event says its host, and opens with all that is recorded of it, on a phone too', async () => {
  const [event] = (await world.api('GET', '/events?type=task_completed')).items;
  for (const size of [{}, { width: 390, height: 844 }]) {
    const of = await world.page(size);
    await open('/events?type=task_completed', of);
    const row = rows('Events', of).first();
    assert.ok((await row.innerText()).includes(event.hostname), 'its host');
    await row.getByRole('link', { name: 'task completed' }).click();
    const shown = of.getByRole('dialog', { name: 'task completed' });
    await shown.getByText(event.at.slice(0, 10)).waitFor();
    await shown.getByRole('link', { name: event.hostname }).waitFor();
    assert.equal(await shown.getByRole('link', { name: event.details.task_id }).getAttribute('href'), `/tasks/${event.details.task_id}`);
    assert.equal(new URL(of.url()).searchParams.get('event'), String(event.id));
    await of.keyboard.press('Escape');
    await of.waitForURL((url) => url.search === '?type=task_completed');
    await of.context().close();
  }
});

test('a row of the audit log opens with all that it says, on a phone too', async () => {
  const of = await world.page({ width: 390, height: 844 });
  await open('/audit?action=tokens.create', of);
  const row = rows('Audit log', of).first();
  assert.ok((await row.innerText()).includes('bootstrap'), 'who');
  await row.getByRole('link', { name: 'tokens.create' }).click();
  const [entry] = (await world.api('GET', '/audit?action=tokens.create')).items;
  const shown = of.getByRole('dialog', { name: 'tokens.create' });
  await shown.getByText(entry.target, { exact: true }).waitFor();
  for (const name of Object.keys(entry.details)) await shown.getByText(name.replaceAll('_', ' '), { exact: true }).first().waitFor();
  await of.context().close();
});

test('a flaw of an image says who says so and where it is, is accepted and reopened', async () => {
  await open(`/hosts/docker-1?tab=images`);
  await page.getByRole('link', { name: 'registry.example/shop:3.2' }).click();
  await page.getByRole('link', { name: 'CVE-2023-4863' }).click();
  const shown = page.getByRole('dialog', { name: 'CVE-2023-4863' });
  await shown.getByText('The scanner says').waitFor();
  await shown.getByText('1.2.4-0.2+deb12u1').waitFor();
  await shown.getByRole('button', { name: 'Accept…' }).click();
  await page.getByLabel('Reason').fill('The shop shows no pictures of others');
  await page.getByRole('button', { name: 'Accept', exact: true }).click();
  const row = page.getByRole('row', { name: /CVE-2023-4863/ });
  await row.waitFor({ state: 'detached' });
  await page.getByLabel('Status').selectOption('all');
  await row.getByText('accepted', { exact: true }).waitFor();
  await row.getByRole('link', { name: 'CVE-2023-4863' }).click();
  await shown.getByRole('button', { name: 'Reopen…' }).click();
  await page.getByRole('button', { name: 'Reopen', exact: true }).click();
  await row.getByText('open', { exact: true }).waitFor();
});

test('what is noted of a task is kept with who wrote it', async () => {
  const { id } = (await world.api('GET', '/tasks?status=completed')).items[0];
  await open(`/tasks/${id}`);
  await page.getByRole('button', { name: 'Add a note…' }).click();
  await page.getByRole('textbox', { name: 'Note' }).fill('Seen by <b>the night shift</b>');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const notes = page.getByRole('region', { name: 'Notes' });
  await notes.getByText('Seen by <b>the night shift</b>').waitFor();
  await notes.getByText('bootstrap').waitFor();
  const reader = await world.page({ token: await world.operator('read_only') });
  await open(`/tasks/${id}`, reader);
  await reader.getByText('Seen by <b>the night shift</b>').waitFor();
  assert.equal(await reader.getByRole('button', { name: 'Add a note…' }).count(), 0);
  await reader.context().close();
});

test('software is found by part of its name, and what is called so stands first', async () => {
  await open('/');
  await page.keyboard.press('/');
  await page.keyboard.type('OpenSS');
  await page.keyboard.press('Enter');
  await settle();
  const found = await page.getByRole('region', { name: 'Software' }).locator('tbody tr').evaluateAll((all) => all.map((row) => row.querySelector('a').innerText));
  assert.deepEqual([...new Set(found)].sort(), ['openssh', 'openssl']);
  await open('/search?q=tar');
  assert.equal(await page.getByRole('region', { name: 'Software' }).locator('tbody tr a').first().innerText(), 'tar');
  await open('/software');
  await page.getByLabel('Name contains').fill('openss');
  await page.waitForURL(/text=openss/);
  await settle();
  for (const text of await rows('Software').allInnerTexts()) assert.match(text, /^openss[hl]/);
});

test('the help with queries names every field that there is, and puts an example into the query', async () => {
  const fields = readFileSync(fileURLToPath(new URL('../../src/model/host_fields.def', import.meta.url)), 'utf8');
  const words = [...fields.matchAll(/^HOST_FIELD\(\w+, "([^"]+)"/gm)].map((match) => match[1]);
  assert.ok(words.length > 10);
  await open('/hosts');
  await page.getByRole('button', { name: 'Query help' }).click();
  const examples = await page.getByRole('dialog').locator('tbody button').allInnerTexts();
  assert.deepEqual(examples.map((example) => /^[a-z_.]+/.exec(example)[0]).sort(), words.sort());
  for (const example of examples.filter((each) => !each.startsWith('group:'))) await world.api('GET', `/hosts?limit=1&query=${encodeURIComponent(example)}`);
  await page.getByRole('dialog').getByRole('button', { name: 'os:linux' }).click();
  await page.waitForURL((url) => url.searchParams.get('query') === 'os:linux');
});

test('an operator says until when the token is good, and an admin renews it', async () => {
  await open('/operators');
  await page.getByRole('button', { name: 'New operator' }).click();
  await page.getByLabel('Name', { exact: true }).fill('brief');
  await page.getByLabel('The token is good for (days)').fill('2');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  const inDays = async () => Math.round((Date.parse((await world.api('GET', '/operators')).items.find((each) => each.name === 'brief').expires_at) - Date.now()) / 86_400_000);
  assert.equal(await inDays(), 2);
  await rows('Operators').getByRole('link', { name: 'brief' }).click();
  const shown = page.getByRole('dialog', { name: 'brief' });
  await shown.getByText('active', { exact: true }).waitFor();
  await shown.getByRole('button', { name: 'Renew the token…' }).click();
  await page.getByLabel('Good from now on for (days)').fill('30');
  await page.getByRole('button', { name: 'Renew', exact: true }).click();
  await page.getByText('The token of brief is renewed').waitFor();
  assert.equal(await inDays(), 30);
});

test('software of two organisations is listed and found without a complaint', async () => {
  await world.api('POST', '/orgs', { name: 'acme' });
  const { token } = await world.api('POST', '/tokens', { org: 'acme' });
  const twin = await world.enrol('twin-1', token);
  await world.report(twin, [{ name: 'adduser', version: '3.134', vendor: 'Debian', ecosystem: 'deb', distro: 'debian:12' }]);
  for (const path of ['/software?name=adduser', '/search?q=adduser']) {
    await open(path);
    assert.equal(await page.locator('tbody tr', { hasText: 'adduser' }).count(), 2, path);
  }
  assert.deepEqual(page.complaints, []);
});
