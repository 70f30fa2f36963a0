// SPDX-License-Identifier: Apache-2.0
// The console in Debian's Chromium against a real musterd: what an operator does, as an operator does it.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { settled, World } from './world.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const hosts = 240;
const firstLoadBytes = 250 * 1024;

let world;
let page;
before(async () => {
  world = await World.start('[history]\nsample_days = 14\n[feeds]\nkev = ["https://ada:hunter2@mirror.example/kev.json"]\n');
  await world.seed(hosts);
  page = await world.page();
});
after(() => world?.stop());

/** What is on screen once nothing is being loaded any more. */
async function settle(of = page) {
  await settled(of);
}
async function open(path, of = page) {
  await of.goto(world.url + path);
  await of.getByRole('main').waitFor();
  await settle(of);
}
async function id(path) {
  return (await world.api('GET', path)).items[0].id;
}
const pathsOfAll = async () => [
  '/', '/hosts', '/groups', '/agents', '/alerts', '/findings', '/findings?group=cve', '/findings?group=package', '/findings?group=host', '/software', '/images', '/held',
  '/tasks', '/tasks/new', '/releases', '/releases?tab=hosts', '/feeds', '/enrolment', '/agent-keys', '/events', '/audit', '/doctor', '/settings', '/operators', '/account', '/search?q=web-00',
  `/hosts/${await id('/hosts?hostname=web')}`, `/hosts/${await id('/hosts?hostname=web')}?tab=findings`,
  `/hosts/${await id('/hosts?hostname=web')}?tab=software`, `/hosts/${await id('/hosts?hostname=db')}?tab=tasks`, `/hosts/${await id('/hosts?hostname=db')}?tab=runtime`,
  `/hosts/${await id('/hosts?hostname=web')}?tab=events`, `/findings/${await id('/findings')}`, `/images/${await id('/images')}`,
  `/events?event=${await id('/events')}`, `/audit?entry=${await id('/audit')}`, `/operators?operator=${await id('/operators')}`, '/hosts/docker-1?tab=images',
  `/images/${await id('/images')}?finding=${await id(`/images/${await id('/images')}/findings`)}`,
  `/tasks/${await id('/tasks?status=completed')}`, `/hosts/${await id('/hosts?hostname=web')}?tab=results`, '/results', '/results?tab=batches', ...(await pathsOfTests()),
];
/** The heat map of a run and of a batch, and what changed between two of each. */
async function pathsOfTests() {
  const [later, earlier] = (await world.api('GET', '/batches')).items.filter((batch) => batch.type === 'execute_test');
  const [before, after] = [await id(`/tasks?batch=${earlier.id}`), await id(`/tasks?batch=${later.id}`)];
  return [`/tasks/${after}`, `/batches/${later.id}?technique=T1059.004`, `/compare?from=${before}&to=${after}`, `/compare?kind=batch&from=${earlier.id}&to=${later.id}&show=same`];
}

test('a sign-in link opens the console once, and leaves no secret in the address', async () => {
  const link = await world.link();
  const other = await world.browser.newContext();
  const opened = await other.newPage();
  await opened.goto(link);
  await opened.getByRole('heading', { name: 'Overview' }).waitFor();
  assert.equal(new URL(opened.url()).hash, '');
  const cookies = await other.cookies();
  assert.equal(cookies.length, 1);
  assert.equal(cookies[0].httpOnly, true);
  assert.equal(cookies[0].sameSite, 'Strict');
  const again = await world.browser.newContext();
  const refused = await again.newPage();
  await refused.goto(link);
  await refused.getByText('The link is wrong, was used or has expired.').waitFor();
  await other.close();
  await again.close();
});

/** What an authenticator shows `ahead` seconds from now (RFC 6238). */
function codeOf(secret, ahead = 0) {
  let bits = '';
  for (const digit of secret) bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(digit).toString(2).padStart(5, '0');
  const key = Buffer.from(bits.match(/.{8}/g).map((octet) => parseInt(octet, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor((Date.now() / 1000 + ahead) / 30)));
  const mac = createHmac('sha1', key).update(counter).digest();
  return String((mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

test('an operator sets a password and a second factor, and signs in with both', async () => {
  const own = await world.page();
  await open('/account', own);
  await own.getByLabel('New password', { exact: true }).fill('correct horse battery');
  await own.getByLabel('New password again').fill('correct horse battery');
  await own.getByRole('button', { name: 'Set password' }).click();
  await own.getByText('The password is set').waitFor();
  await own.getByRole('button', { name: 'Set up' }).click();
  const secret = new URL(await own.getByRole('link', { name: 'Open it in an authenticator' }).getAttribute('href')).searchParams.get('secret');
  await own.getByLabel('The code that it shows').fill(codeOf(secret));
  await own.getByLabel('Your password').fill('correct horse battery');
  await own.getByRole('button', { name: 'Set up' }).click();
  await own.getByText('The authenticator is set up').waitFor();
  await own.context().close();

  const context = await world.browser.newContext();
  const stranger = await context.newPage();
  await stranger.goto(world.url + '/findings');
  await stranger.getByLabel('Name').fill('bootstrap');
  await stranger.getByLabel('Password').fill('correct horse battery');
  await stranger.getByRole('button', { name: 'Sign in' }).click();
  await stranger.getByText('Name, password or code is wrong.').waitFor();
  // The step that proved the offer is used up: the next one is good already.
  await stranger.getByLabel('Code of your authenticator').fill(codeOf(secret, 30));
  await stranger.getByRole('button', { name: 'Sign in' }).click();
  await stranger.getByRole('heading', { name: 'Findings' }).waitFor();
  await context.close();
});

test('signing out ends the session on the server', async () => {
  const of = await world.page();
  const cookies = await of.context().cookies();
  await of.getByRole('button', { name: 'Sign out' }).click();
  await of.getByRole('heading', { name: 'Sign in to Muster' }).waitFor();
  const answer = await fetch(`${world.url}/api/v1/me`, { headers: { Cookie: `${cookies[0].name}=${cookies[0].value}` } });
  assert.equal(answer.status, 401);
  await of.context().close();
});

test('a page is what its first load weighs: below 250 KB compressed', async () => {
  let bytes = 0;
  const of = await (await world.browser.newContext()).newPage();
  of.on('response', async (response) => {
    if (!response.url().includes('/api/')) bytes += Number(response.headers()['content-length'] ?? 0);
  });
  await of.goto(world.url);
  await of.waitForLoadState('networkidle');
  assert.ok(bytes > 10_000, `${bytes} bytes is no page`);
  assert.ok(bytes < firstLoadBytes, `${bytes} bytes`);
  await of.context().close();
});

test('every page shows without a complaint, and axe finds nothing, in light and dark', async () => {
  const found = [];
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    for (const path of await pathsOfAll()) {
      await open(path);
      assert.equal(await page.getByRole('alert').count(), 0, `${path}: ${await page.getByRole('alert').allInnerTexts()}`);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run());
      found.push(...violations.map((each) => `${path} ${colorScheme}: ${each.id} ${each.nodes[0].html.slice(0, 160)}`));
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  assert.deepEqual(found, []);
  assert.deepEqual(page.complaints, []);
});

test('alerts are muted and deleted on a phone, too', async () => {
  const alert = await world.api('POST', '/alerts', { name: 'On a phone', query: 'hostname:web', above: 0, for_seconds: 0 });
  const phone = await world.page({ width: 390, height: 844 });
  await open('/alerts', phone);
  await phone.getByRole('link', { name: 'On a phone' }).click();
  const shown = phone.getByRole('dialog', { name: 'On a phone' });
  await shown.getByRole('link', { name: 'hostname:web' }).waitFor();
  for (const name of ['Mute…', 'Delete…']) {
    const button = shown.getByRole('button', { name });
    assert.equal(await button.count(), 1, name);
    const box = await button.boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= 390, `${name} is outside`);
  }
  await phone.context().close();
  await world.api('DELETE', `/alerts/${alert.id}`);
});

test('no page is wider than a phone', async () => {
  const phone = await world.page({ width: 390, height: 844 });
  for (const path of await pathsOfAll()) {
    await open(path, phone);
    const wide = await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${path} is ${wide} px too wide`);
    const squeezed = await phone.locator('thead th:visible').evaluateAll((all) => all.filter((each) => each.innerText && each.clientWidth < 40).map((each) => each.innerText));
    assert.deepEqual(squeezed, [], `${path} has columns without room`);
  }
  await phone.context().close();
});

test('a long list loads as it is scrolled, with few rows in the document', async () => {
  await open('/hosts');
  await page.getByText(String(hosts + 1), { exact: true }).waitFor();
  const last = page.getByRole('link', { name: 'docker-1' });
  for (let scrolls = 0; scrolls < 40 && (await last.count()) === 0; ++scrolls) {
    await page.mouse.wheel(0, 2500);
    await settle();
  }
  await last.waitFor();
  assert.ok((await page.locator('tbody tr').count()) < 100);
});

test('slash finds a host, a CVE and a package', async () => {
  await open('/');
  await page.keyboard.press('/');
  await page.keyboard.type('web-004');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'web-004' }).click();
  await page.getByRole('heading', { name: 'web-004' }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('cve-2023-4863');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Findings' }).waitFor();
  await page.getByRole('link', { name: 'CVE-2023-4863' }).first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('libwebp');
  await page.keyboard.press('Enter');
  await page.getByRole('cell', { name: '1.2.4-0.2', exact: true }).waitFor();
});

test('a task is created for chosen hosts, and its result arrives by itself', async () => {
  const agent = world.agents.find((each) => each.hostname === 'db-005');
  await open('/tasks/new');
  await page.getByLabel("Command for the host's shell").fill('uname -a');
  await page.getByLabel('Host contains').fill('db-005');
  await page.getByLabel('db-005').check();
  await page.getByRole('button', { name: 'Review…' }).click();
  await page.getByRole('button', { name: 'Run on 1 host' }).click();
  await page.getByText('Waiting for the agent.').waitFor();
  const task = await world.work(agent, { stdout: 'Linux db-005 6.1.0\n', exit_code: 0 });
  assert.equal(task.payload.command, 'uname -a');
  await page.getByText('Linux db-005 6.1.0').waitFor();
  await page.getByRole('status').getByText('completed').waitFor();
});

test('a finding is accepted with a reason, and reopened', async () => {
  await open('/findings?cve=CVE-2024-32487');
  await page.getByRole('link', { name: 'CVE-2024-32487' }).first().click();
  await page.getByRole('button', { name: 'Accept…' }).click();
  await page.getByLabel('Reason').fill('Nobody opens foreign files on these hosts');
  await page.getByRole('button', { name: 'Accept', exact: true }).click();
  await page.getByText('Nobody opens foreign files on these hosts').waitFor();
  const id = Number(new URL(page.url()).pathname.split('/').at(-1));
  assert.equal((await world.api('GET', `/findings/${id}`)).status, 'accepted');
  await page.getByRole('button', { name: 'Reopen…' }).click();
  await page.getByRole('button', { name: 'Reopen', exact: true }).click();
  await page.getByRole('button', { name: 'Accept…' }).waitFor();
  assert.equal((await world.api('GET', `/findings/${id}`)).status, 'open');
});

test('a group is made, counted, used in another query and kept while that names it', async () => {
  await open('/groups');
  await page.getByRole('button', { name: 'New group' }).click();
  await page.getByLabel('Name').fill('web hosts');
  await page.getByLabel('Query').fill('hostname:web-*');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('link', { name: 'web hosts' }).first().click();
  const meant = (await world.api('GET', '/hosts?query=hostname%3Aweb-*')).total.value;
  assert.ok(meant > 0);
  await page.getByRole('link', { name: `${meant} hosts` }).click();
  await page.waitForURL(/\/hosts\?query=/);
  await page.getByRole('heading', { name: 'Hosts' }).waitFor();
  assert.equal((await world.api('GET', `/hosts?query=${encodeURIComponent('group:"web hosts"')}`)).total.value, meant);
  await world.api('PUT', '/views/other', { query: 'os:linux -group:"web hosts"' });
  await open('/groups?name=web%20hosts');
  await page.getByText('in the groups other').waitFor();
  await page.getByRole('button', { name: 'Delete…' }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByText('the view "other" names it').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  await world.api('DELETE', '/views/other');
});

test('an alert fires, is acknowledged, muted and deleted, and the overview shows it while it fires', async () => {
  await open('/alerts');
  await page.getByRole('button', { name: 'New alert' }).click();
  await page.getByLabel('Name').fill('Too many web hosts');
  await page.getByLabel('Query').fill('hostname:web-*');
  await page.getByLabel('Minutes for which it must hold').fill('0');
  await page.getByRole('button', { name: 'Create' }).click();
  const row = page.getByRole('row', { name: /Too many web hosts/ });
  await row.getByText('firing').waitFor();  // the server looks every few seconds, and says so
  await row.getByRole('button', { name: 'Acknowledge' }).click();
  await row.getByText('acknowledged').waitFor();
  const shown = page.getByRole('dialog', { name: 'Too many web hosts', exact: true });
  await row.getByRole('button', { name: 'More of Too many web hosts' }).click();
  await shown.getByText('above 0', { exact: true }).waitFor();
  await shown.getByRole('button', { name: 'Mute…' }).click();
  await page.getByRole('button', { name: 'Mute', exact: true }).click();
  await shown.getByRole('button', { name: 'Unmute' }).waitFor();
  await page.keyboard.press('Escape');
  await row.getByText('muted, acknowledged').waitFor();
  await open('/');
  await page.getByRole('link', { name: /1 firing/ }).click();
  await row.getByRole('link', { name: 'Too many web hosts' }).click();
  await shown.getByRole('button', { name: 'Delete…' }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await row.waitFor({ state: 'detached' });
  const events = (await world.api('GET', '/events?type=alert_firing')).items;
  assert.equal(events[0].details.alert, 'Too many web hosts');
});

test('a webhook says its secret once', async () => {
  await open('/alerts');
  await page.getByRole('button', { name: 'New webhook…' }).click();
  await page.getByLabel('Name').fill('pager');
  await page.getByLabel('Address').fill('https://192.0.2.1/hook');
  await page.getByRole('button', { name: 'Create' }).click();
  const secret = await page.locator('pre').first().innerText();
  assert.match(secret, /^whsec_/);
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('row', { name: /pager/ }).getByRole('button', { name: 'Delete…' }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByText('No webhooks yet: alerts are told here alone.').waitFor();
  assert.ok(!(await page.content()).includes(secret));
});

test('an agent key is shown once, works, and is revoked', async () => {
  await open('/agent-keys');
  await page.getByRole('button', { name: 'New key' }).click();
  await page.getByLabel('Site').fill('site-paris');
  await page.getByRole('button', { name: 'Create' }).click();
  const key = await page.locator('pre').first().innerText();
  assert.match(key, /^sk_agent_[0-9a-f]{64}$/);
  const config = () => fetch(`${world.url}/api/agent/config`, { headers: { 'X-Agent-Key': key } });
  assert.equal((await config()).status, 200);
  await page.getByRole('button', { name: 'Close' }).click();
  const row = page.getByRole('row', { name: /site-paris/ });
  await row.getByRole('button', { name: 'Revoke…' }).click();
  await page.getByRole('button', { name: 'Revoke', exact: true }).click();
  await row.getByText('revoked').waitFor();
  assert.equal((await config()).status, 401);
  assert.ok(!(await page.content()).includes(key));
});

test('an enrolment token comes with commands to copy, for each kind of host', async () => {
  await open('/enrolment');
  await page.getByRole('button', { name: 'New token' }).click();
  await page.getByRole('button', { name: 'Create' }).click();
  const commands = () => page.locator('pre').nth(1).innerText();
  const enrols = new RegExp(`et_[0-9a-f]{64}.*muster-agent enroll --server ${world.url}`);
  assert.match(await commands(), /^apt install .*_amd64\.deb\n/);
  assert.match(await commands(), enrols);
  await page.getByLabel('Processor').selectOption('arm64');
  assert.match(await commands(), /^apt install .*_arm64\.deb\n/);
  for (const [kind, last] of [['tar', /\nsystemctl start muster-agent$/], ['alone', /\nmuster-agent run$/]]) {
    await page.getByLabel('Kind of host').selectOption(kind);
    assert.match(await commands(), /linux-arm64\.tar\.gz\n.*linux-arm64\/muster-agent install\n/);
    assert.match(await commands(), enrols);
    assert.match(await commands(), last);
  }
  assert.equal(await page.getByText('plain HTTP').count(), 0, 'this server is on the same machine');
  await page.getByRole('button', { name: 'Close' }).click();
});

test('a reader is offered no change, and is refused one by the server', async () => {
  const reader = await world.page({ token: await world.operator('read_only') });
  assert.equal(await reader.getByRole('link', { name: 'Audit' }).count(), 0);
  await open('/agent-keys', reader);
  assert.equal(await reader.getByRole('button', { name: 'New key' }).count(), 0);
  await open('/tasks/new', reader);
  await reader.getByText('This page needs the role operator; yours is read only.').waitFor();
  const status = await reader.evaluate(async () => {
    const answer = await fetch('/api/v1/keys', { method: 'POST', headers: { 'X-Muster-Console': '1' }, body: '{"name": "x"}' });
    return [answer.status, (await answer.json()).error];
  });
  assert.deepEqual(status, [403, 'insufficient_role']);
  await reader.context().close();
});

test('an administrator of the server sees what it runs with, finds a setting by its words, and no secret', async () => {
  await open('/settings');
  const changed = page.getByRole('row', { name: /sample_days/ });
  await changed.getByText('14', { exact: true }).waitFor();
  await changed.getByText('changed').waitFor();
  await changed.getByText('default 30').waitFor();
  assert.equal(await page.getByRole('row', { name: /event_days/ }).getByText('changed').count(), 0);
  await page.getByRole('region', { name: '[feeds]' }).getByText('https://***@mirror.example/kev.json').waitFor();
  assert.ok(!(await page.content()).includes('hunter2'));
  // The flags that it was started with: where it listens, and the file to change.
  await page.getByRole('region', { name: 'Command line' }).getByText('127.0.0.1:0').waitFor();
  await page.getByText(`${world.data}/musterd.toml`).first().waitFor();
  await page.getByLabel('Search settings').fill('presence FALL silent');
  await page.getByRole('row', { name: /group_agents/ }).waitFor();
  await changed.waitFor({ state: 'detached' });
  await page.getByLabel('Search settings').fill('no such words');
  await page.getByText('No setting has these words').waitFor();
});

test('what the server runs with is not for administrators of an organisation', async () => {
  const bea = await world.api('POST', '/operators', { name: 'bea', role: 'admin', org: 'default' });
  const one = await world.page({ token: bea.token });
  await open('/settings', one);
  await one.getByRole('heading', { name: 'Settings' }).waitFor();
  assert.equal(await one.getByRole('heading', { name: 'This server' }).count(), 0);
  assert.equal(await one.evaluate(async () => (await fetch('/api/v1/config')).status), 403);
  await one.context().close();
});

test('a page with a session, but without the console\'s header, changes nothing', async () => {
  const status = await page.evaluate(async () => (await fetch('/api/v1/keys', { method: 'POST', body: '{"name": "x"}' })).status);
  assert.equal(status, 403);
});

test('hostile names stay text', async () => {
  const agent = await world.enrol('evil-<img src=x onerror=document.title=1>');
  await world.report(agent, [{ name: '<script>document.title=1</script>', version: '1' }]);
  await open('/hosts?hostname=evil');
  await page.getByRole('link', { name: 'evil-<img' }).click();
  await page.getByRole('tab', { name: 'Software' }).click();
  await page.getByText('<script>document.title=1</script>').waitFor();
  assert.notEqual(await page.title(), '1');
});

test('what runs on a host is told as its agent told it', async () => {
  const agent = await world.enrol('ports-1');
  await world.report(agent, []);
  await open('/hosts?hostname=ports-1');
  await page.getByRole('link', { name: 'ports-1' }).click();
  await page.getByRole('tab', { name: 'Ports and services' }).click();
  await page.getByText('Nothing is told of this host').waitFor();
  const runtime = {
    listening: [{ protocol: 'tcp', address: '0.0.0.0', port: 22, process: '<b>sshd' }],
    services: [{ name: 'app.service', state: 'failed' }],
  };
  await world.report(agent, [], undefined, { runtime_hash: 'h', runtime });
  await page.reload();
  await page.getByRole('cell', { name: '<b>sshd' }).waitFor();
  await page.getByRole('cell', { name: 'app.service' }).waitFor();
});

test('the server\'s words are shown when it says no', async () => {
  await open('/hosts/999999999');
  await page.getByRole('alert').getByText('There is no such host').waitFor();
});

test('an operator of two organisations chooses one in the head, and sees nothing of the other', async () => {
  const acme = await world.api('POST', '/orgs', { name: 'acme' });
  const { token } = await world.api('POST', '/tokens', { org: 'acme' });
  await world.enrol('acme-1', token);
  const ada = await world.api('POST', '/operators', { name: 'ada', role: 'admin', org: 'acme' });
  const one = await world.page({ token: ada.token });
  assert.equal(await one.getByLabel('Organisation').count(), 0, 'with one there is nothing to choose');
  await open('/hosts', one);
  await one.getByRole('link', { name: 'acme-1' }).waitFor();
  assert.equal(await one.locator('.total').first().innerText(), '1');
  assert.equal(await one.getByRole('link', { name: 'Doctor' }).count(), 0, 'that is of the server');
  await one.context().close();

  await world.api('PUT', `/operators/${ada.id}/grants/default`, { role: 'read_only' });
  const two = await world.page({ token: ada.token });
  await two.getByLabel('Organisation').focus();
  await two.keyboard.press('ArrowUp');
  await two.getByLabel('Organisation').selectOption({ label: 'acme' });
  await open('/hosts', two);
  await two.getByRole('link', { name: 'acme-1' }).waitFor();
  await two.getByRole('link', { name: 'Audit' }).waitFor();
  await two.getByLabel('Organisation').selectOption({ label: 'default' });
  await two.getByRole('link', { name: 'web-' }).first().waitFor();
  assert.equal(await two.getByRole('link', { name: 'acme-1' }).count(), 0);
  assert.equal(await two.getByRole('link', { name: 'Audit' }).count(), 0, 'a reader there');
  await two.context().close();

  await open('/operators');
  await page.getByRole('button', { name: 'Roles of ada' }).click();
  await page.getByLabel('default').selectOption({ label: 'Nothing of its own' });
  await page.getByText('ada is nothing there now').waitFor();
  await page.getByRole('button', { name: 'Close' }).click();
  const left = (await world.api('GET', '/operators')).items.find((each) => each.id === ada.id).grants;
  assert.deepEqual(left.map((grant) => grant.org_id), [acme.id]);
});

test('risky work waits for somebody else, who sees what would run and where', async () => {
  await world.api('PUT', '/settings?scope=org', { task_approval: 'risky' });
  const agent = await world.enrol('careful-1');
  const { task_ids: [id] } = await world.api('POST', '/tasks', { type: 'execute_command', command: 'echo careful', agent_ids: [agent.id], env_vars: { LANG: 'C' } });
  await open('/tasks');
  await page.getByRole('link', { name: 'Waits for approval: 1' }).click();
  await page.getByRole('link', { name: 'echo careful' }).click();
  await page.getByText('a second person decides on it').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Approve…' }).count(), 0, 'not for who asked for it');
  const second = await world.page({ token: await world.operator('operator') });
  await open(`/tasks/${id}`, second);
  await second.getByText('"command": "echo careful"').waitFor();
  await second.getByText('LANG').waitFor();
  await second.getByRole('link', { name: 'careful-1' }).first().waitFor();
  await second.getByRole('button', { name: 'Approve…' }).click();
  await second.getByRole('button', { name: 'Approve', exact: true }).click();
  await second.getByText('1 task approved').waitFor();
  assert.equal((await world.api('GET', `/tasks/${id}`)).status, 'pending');
  await second.context().close();
  await world.api('PUT', '/settings?scope=org', { task_approval: null });
});
