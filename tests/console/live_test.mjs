// SPDX-License-Identifier: Apache-2.0
// What others do appears on a page that somebody looks at, without a reload; and what becomes of that page
// when no word of it comes.
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { quiet, World } from './world.mjs';

const hosts = 60;
// A second for the server to look, one for the page to rest, and a slow machine.
const soon = { timeout: 15_000 };
// Beyond the half minute after which a page asks again without word.
const byPolling = { timeout: 60_000 };

let world;
let page;
let proxy;
before(async () => {
  world = await World.start();
  await world.seed(hosts);
  proxy = await Proxy.before(world);
  page = await world.page();
});
after(async () => {
  await world?.stop();
  await proxy?.stop();
});

/** Stands before the server, and cuts off who watches. */
class Proxy {
  sockets = new Set();
  static async before(world) {
    const proxy = new Proxy();
    const { port } = new URL(world.url);
    proxy.server = createServer((client) => {
      const server = connect(Number(port), '127.0.0.1');
      const pair = { client, server, watches: false };
      proxy.sockets.add(pair);
      client.on('data', (bytes) => (pair.watches ||= bytes.includes('GET /api/v1/stream')));
      client.pipe(server).pipe(client);
      for (const each of [client, server]) {
        each.on('error', () => {});
        each.on('close', () => {
          client.destroy();
          server.destroy();
          proxy.sockets.delete(pair);
        });
      }
    });
    await new Promise((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    proxy.url = `http://127.0.0.1:${proxy.server.address().port}`;
    return proxy;
  }
  cutWatching() {
    for (const pair of this.sockets) if (pair.watches) pair.client.destroy();
  }
  async stop() {
    for (const pair of this.sockets) pair.client.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

async function open(path, of = page, url = world.url) {
  await of.goto(url + path);
  await of.getByRole('main').waitFor();
  await isLive(of);
  await quiet(of);
  // Gone with the document.
  await of.evaluate(() => (window.neverReloaded = true));
}
const isLive = (of) => of.getByRole('banner').getByText('Live', { exact: true }).waitFor(soon);
async function stayed(of = page) {
  assert.equal(await of.evaluate(() => window.neverReloaded), true);
}
const createTask = (agent, command) => world.api('POST', '/tasks', { type: 'execute_command', agent_ids: [agent.id], command });

test('a task that somebody else creates appears, moves on and has its result', async () => {
  const agent = world.agents[10];
  await open('/tasks');
  const { task_ids } = await createTask(agent, 'cat /etc/hostname');
  const row = page.getByRole('row', { name: /cat \/etc\/hostname/ });
  await row.getByText('pending').waitFor(soon);
  await world.work(agent, { stdout: 'here it is\n' });
  await row.getByText('completed').waitFor(soon);
  await stayed();
  await open(`/tasks/${task_ids[0]}`);
  await page.getByText('here it is').waitFor(soon);
});

test('a result arrives on the page of its task', async () => {
  const agent = world.agents[5];
  const { task_ids } = await createTask(agent, 'uptime');
  await open(`/tasks/${task_ids[0]}`);
  await world.work(agent, { stdout: 'up 9 days\n' });
  await page.getByText('up 9 days').waitFor(soon);
  await stayed();
});

test('whoever reads a list keeps the place in it, and the focus', async () => {
  await open('/hosts');
  const total = async () => Number((await page.locator('.tools .muted').first().innerText()).replaceAll(',', '').split(' of ')[1]);
  const before = await total();
  await page.mouse.wheel(0, 900);
  for (let steps = 0; steps < 20; ++steps) await page.keyboard.press('j');
  const focused = () => page.evaluate(() => [document.activeElement.textContent, Math.round(document.activeElement.getBoundingClientRect().top)]);
  const [name, top] = await focused();
  await world.enrol('zz-arrives');
  await page.waitForFunction((was) => Number(document.querySelector('.tools .muted').textContent.replaceAll(',', '').split(' of ')[1]) === was + 1, before, soon);
  const [nameNow, topNow] = await focused();
  assert.equal(nameNow, name);
  assert.ok(Math.abs(topNow - top) <= 1, `it was at ${top} and is at ${topNow}`);
  await stayed();
});

test('what somebody fills in is left alone until they are done', async () => {
  await open('/tasks/new');
  await page.getByLabel('Host contains').fill('db-');
  await page.getByLabel('db-005').check();
  await page.getByLabel("Command for the host's shell").fill('half a comm');
  await quiet(page);
  let asked = 0;
  page.on('request', (request) => request.url().includes('/api/v1/agents') && ++asked);
  await world.enrol('db-of-another');
  await page.waitForTimeout(4000);
  assert.equal(asked, 0);
  assert.equal(await page.getByLabel("Command for the host's shell").inputValue(), 'half a comm');
  assert.equal(await page.getByLabel('db-005').isChecked(), true);
  await page.evaluate(() => document.activeElement.blur());
  await page.getByLabel('db-of-another').waitFor(soon);
  assert.equal(await page.getByLabel('db-005').isChecked(), true);
  await stayed();
});

test('without word of changes lists are read again by themselves, until word comes again', async () => {
  const of = await world.page();
  // Nobody waits for the lot that keeps many consoles apart.
  await of.addInitScript(() => (Math.random = () => 0));
  let cut = false;
  await of.route('**/api/v1/stream', (route) => (cut ? route.abort() : route.continue()));
  await open('/tasks', of, proxy.url);
  cut = true;
  proxy.cutWatching();
  await of.getByRole('banner').getByText('Polling', { exact: true }).waitFor({ timeout: 30_000 });
  await createTask(world.agents[7], 'echo by polling');
  await of.getByRole('row', { name: /echo by polling/ }).waitFor(byPolling);
  cut = false;
  await of.getByRole('banner').getByText('Live', { exact: true }).waitFor({ timeout: 30_000 });
  await createTask(world.agents[7], 'echo live again');
  await of.getByRole('row', { name: /echo live again/ }).waitFor(soon);
  await stayed(of);
  await of.context().close();
});

test('a page that is not looked at watches nothing, and catches up when it is', async () => {
  const of = await world.page();
  await open('/tasks', of);
  const watchers = async () => {
    const metrics = await (await fetch(`${world.url}/metrics`)).text();
    return Number(/^muster_watchers (\d+)$/m.exec(metrics)[1]);
  };
  const before = await watchers();
  const show = (state) =>
    of.evaluate((now) => {
      Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => now });
      document.dispatchEvent(new Event('visibilitychange'));
    }, state);
  await show('hidden');
  for (let looks = 0; (await watchers()) === before && looks < 100; ++looks) await of.waitForTimeout(100);
  assert.equal(await watchers(), before - 1);
  await createTask(world.agents[8], 'echo unseen');
  await of.waitForTimeout(5000);
  await show('visible');
  await of.getByRole('row', { name: /echo unseen/ }).waitFor(soon);
  await stayed(of);
  await of.context().close();
});

test('whose operator is revoked is shown out at once', async () => {
  const { id, token } = await world.api('POST', '/operators', { name: 'leaver', role: 'read_only' });
  const of = await world.page({ token });
  await open('/hosts', of);
  await world.api('DELETE', `/operators/${id}`);
  await of.getByRole('heading', { name: 'Sign in to Muster' }).waitFor(soon);
  await of.context().close();
});
