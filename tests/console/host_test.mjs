// SPDX-License-Identifier: Apache-2.0
// What is done seldom to a host and its agent, on the host's page: keys, splits and ends, each asked for first and
// offered to nobody who may not.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { quiet, settled, World } from './world.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const ofKeys = ['Rotate key…', 'Reissue key…'];

let world;
let page;
before(async () => {
  world = await World.start();
  page = await world.page();
});
after(() => world?.stop());

async function open(path, of = page) {
  await of.goto(world.url + path);
  await of.getByRole('main').waitFor();
  await settled(of);
}
/** An agent that uses its key. */
async function called(hostname) {
  const agent = await world.enrol(hostname);
  await world.beat(agent);
  return agent;
}
const agentOf = (agent) => world.api('GET', `/agents/${agent.id}`);
const facts = (of = page) => of.getByRole('region', { name: 'Agent', exact: true });
const more = (of = page) => of.getByRole('button', { name: 'More', exact: true });
async function offered(of = page) {
  await more(of).click();
  const labels = await of.getByRole('menu').getByRole('menuitem').allInnerTexts();
  await of.keyboard.press('Escape');
  await of.getByRole('menu').waitFor({ state: 'detached' });
  return labels;
}
async function choose(label, of = page) {
  await more(of).click();
  await of.getByRole('menuitem', { name: label }).click();
}
async function confirm(action, of = page) {
  await of.getByRole('dialog').getByRole('button', { name: action, exact: true }).click();
}
async function closeDialog(of = page) {
  await of.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  await of.getByRole('dialog').waitFor({ state: 'detached' });
}
/** Nothing of the page, its address or what the browser keeps for it has `secret`. */
async function assertForgotten(secret, of = page) {
  const kept = await of.evaluate(() => JSON.stringify([location.href, history.state, { ...localStorage }, { ...sessionStorage }]));
  assert.ok(!kept.includes(secret), 'kept by the browser');
  assert.ok(!(await of.content()).includes(secret), 'in the page');
}

test('a rotated key is offered to the agent, and the page says that it is pending until its first use', async () => {
  const agent = await called('rotated-1');
  await open('/hosts/rotated-1');
  await facts().getByText(/^current/).waitFor();
  await choose('Rotate key…');
  await page.getByRole('dialog').getByText('works until the new one is first used').waitFor();
  assert.equal((await agentOf(agent)).key.state, 'current', 'asked, not done');
  await confirm('Rotate');
  const pending = facts().getByText('the old one works until the agent uses it; that is overdue in 7 days');
  assert.doesNotMatch(await pending.innerText(), /offered in /, 'it has happened');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal((await agentOf(agent)).key.state, 'pending');
  assert.deepEqual(await offered(), ['Reissue key…', 'Decommission…'], 'once is enough');
  const { data } = await world.beat(agent);
  assert.match(data.new_api_key, /^ak_[0-9a-f]{64}$/);
  await assertForgotten(data.new_api_key);
  await world.beat({ ...agent, key: data.new_api_key });
  await facts().getByText('the old one works until the agent uses it').waitFor({ state: 'detached' });
  await facts().getByText(/^current/).waitFor();
  await assert.rejects(world.beat(agent), /: 401 /, 'the old key has ended');
});

test('a reissued key is shown once, and the agent is heard again with the key before', async () => {
  const agent = await called('restored-1');
  const lost = (await world.api('POST', `/agents/${agent.id}/rotate-key`)).key;
  await world.beat({ ...agent, key: lost });
  await assert.rejects(world.beat(agent), /: 401 /);
  await open('/hosts/restored-1');
  await choose('Reissue key…');
  await page.getByRole('dialog').getByText('ends all others for good').waitFor();
  await confirm('Reissue');
  const key = await page.getByRole('dialog').locator('pre').innerText();
  assert.match(key, /^ak_[0-9a-f]{64}$/);
  assert.notEqual(key, lost);
  await closeDialog();
  await assertForgotten(key);
  await facts().getByText('the old one works until the agent uses it').waitFor();
  assert.equal((await world.beat(agent)).data.new_api_key, key, 'told to the agent as well');
  await world.beat({ ...agent, key });
  await facts().getByText(/^current/).waitFor();
  await open('/hosts/restored-1');
  await assertForgotten(key);
});

test('two machines with one key are split by an operator, and only while there are two', async () => {
  const agent = await world.enrol('twin-1');
  const beatAs = (hostname, uptime_seconds) => world.asAgent(agent, 'POST', '/heartbeat', { status: 'idle', system: { hostname, uptime_seconds } });
  const first = () => beatAs('twin-1', 900_000);
  const copy = () => beatAs('twin-2', 1000);
  const of = await world.page({ token: await world.operator('operator') });
  await copy();
  await open('/hosts/twin-1', of);
  assert.equal(await more(of).count(), 0, 'one machine is not split');
  // By turns: three times it seems to have booted before it did (docs/reference/keys.md).
  for (let turns = 0; turns < 3; ++turns) {
    await first();
    await copy();
  }
  await open('/hosts/twin-1', of);
  await facts(of).getByText('use its key: twin-1').waitFor();
  assert.deepEqual(await offered(of), ['Split in two…']);
  await choose('Split in two…', of);
  await of.getByRole('dialog').getByText(/booted later, twin-2 \(.*\), becomes an agent of its own/).waitFor();
  await confirm('Split', of);
  const key = await of.getByRole('dialog').locator('pre').innerText();
  const other = await of.getByRole('dialog').getByRole('link', { name: 'a host of its own' }).getAttribute('href');
  await closeDialog(of);
  await assertForgotten(key, of);
  await facts(of).getByText('they are being split').waitFor();
  assert.equal(await more(of).count(), 0, 'it waits for the other machine');
  assert.equal((await first()).data.new_api_key, undefined, 'it keeps the key that it has');
  assert.equal((await copy()).data.new_api_key, key);
  await world.asAgent({ ...agent, key }, 'GET', '/tasks');
  await facts(of).getByText('they are being split').waitFor({ state: 'detached' });
  await open(other, of);
  await of.getByRole('heading', { name: 'twin-2' }).waitFor();
  await of.context().close();
});

test('an agent is decommissioned and its host deleted, each after a question', async () => {
  const agent = await called('gone-1');
  const { id } = await world.api('GET', '/hosts/gone-1');
  await open('/hosts/gone-1');
  assert.deepEqual(await offered(), [...ofKeys, 'Decommission…'], 'a live agent keeps its host');
  await choose('Decommission…');
  await page.getByRole('dialog').getByText('this cannot be undone').waitFor();
  await closeDialog();
  assert.equal((await agentOf(agent)).status, 'active', 'asked, not done');
  await choose('Decommission…');
  await confirm('Decommission');
  await page.getByText('No live agent').waitFor();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal((await agentOf(agent)).status, 'decommissioned');
  await assert.rejects(world.beat(agent), /: 401 /);
  assert.equal(await page.getByRole('link', { name: 'Run a task' }).count(), 0);

  assert.deepEqual(await offered(), ['Delete host…']);
  await choose('Delete host…');
  await page.getByRole('dialog').getByText('This cannot be undone').waitFor();
  await closeDialog();
  assert.equal((await world.api('GET', `/hosts/${id}`)).hostname, 'gone-1', 'asked, not done');
  await choose('Delete host…');
  await confirm('Delete');
  await page.getByText('gone-1 is deleted').waitFor();
  await page.getByRole('heading', { name: 'Hosts' }).waitFor();
  assert.equal(new URL(page.url()).pathname, '/hosts');
  await assert.rejects(world.api('GET', `/hosts/${id}`), /: 404 /);
  await quiet(page);
  assert.equal(await page.getByRole('link', { name: 'gone-1' }).count(), 0);
});

test('the server\'s objection is shown where it was asked', async () => {
  const agent = await called('ended-1');
  await open('/hosts/ended-1');
  await choose('Rotate key…');
  await world.api('POST', `/agents/${agent.id}/disable`);
  await confirm('Rotate');
  await page.getByRole('dialog').getByRole('alert').getByText('The agent is disabled').waitFor();
  await closeDialog();
  await open('/hosts/ended-1');
  assert.deepEqual(await offered(), ['Decommission…'], 'the key of a disabled agent may be stolen');
});

test('who may not is offered nothing, and refused by the server', async () => {
  const agent = await called('kept-1');
  const { id } = await world.api('GET', '/hosts/kept-1');
  // Who gives work may not appoint or end; who reads or judges changes nothing at all.
  for (const role of ['read_only', 'analyst', 'operator']) {
    const of = await world.page({ token: await world.operator(role, `only ${role}`) });
    await open('/hosts/kept-1', of);
    await of.getByRole('button', { name: 'Export JSON' }).waitFor();
    assert.equal(await of.getByRole('button', { name: 'Disable' }).count(), role === 'operator' ? 1 : 0, role);
    assert.equal(await more(of).count(), 0, role);
    const refused = await of.evaluate(async (calls) => {
      const answers = [];
      for (const [method, path] of calls) {
        const answer = await fetch(`/api/v1${path}`, { method, headers: { 'X-Muster-Console': '1' } });
        answers.push(`${answer.status} ${(await answer.json()).error}`);
      }
      return answers;
    }, [['POST', `/agents/${agent.id}/rotate-key`], ['POST', `/agents/${agent.id}/reissue`], ['POST', `/agents/${agent.id}/decommission`], ['DELETE', `/hosts/${id}`]]);
    assert.deepEqual(refused, Array(4).fill('403 insufficient_role'), role);
    await of.context().close();
  }
  assert.deepEqual([(await agentOf(agent)).status, (await agentOf(agent)).key.state], ['active', 'current']);
});

test('the menu works with the keys alone, and gives the focus back', async () => {
  await called('keyboard-1');
  await open('/hosts/keyboard-1');
  const focused = () => page.evaluate(() => document.activeElement.textContent.replace(/\s*▾$/, ''));
  const press = async (key, then) => {
    await page.keyboard.press(key);
    await page.waitForFunction((text) => document.activeElement.textContent.replace(/\s*▾$/, '') === text, then);
  };
  await more().focus();
  await press('ArrowDown', 'Rotate key…');
  await press('ArrowDown', 'Reissue key…');
  await press('End', 'Decommission…');
  await press('ArrowDown', 'Rotate key…');
  await press('ArrowUp', 'Decommission…');
  await press('Home', 'Rotate key…');
  assert.equal(await more().getAttribute('aria-expanded'), 'true');
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  assert.deepEqual(violations.map((each) => `${each.id} ${each.nodes[0].html.slice(0, 160)}`), []);
  await press('Escape', 'More');
  assert.equal(await page.getByRole('menu').count(), 0);
  await press('ArrowUp', 'Decommission…');
  await press('Tab', 'Run a task');
  await page.getByRole('menu').waitFor({ state: 'detached' });
  await more().focus();
  await press('Enter', 'Rotate key…');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Rotate the key of keyboard-1' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(await focused(), 'More');
  assert.deepEqual(page.complaints.filter((text) => !text.includes('409')), [], 'but for the refusal before');
});

test('on a phone the menu is inside the screen', async () => {
  await called('phone-1');
  const phone = await world.page({ width: 390, height: 844 });
  await open('/hosts/phone-1', phone);
  await more(phone).click();
  const items = phone.getByRole('menuitem');
  await items.first().waitFor();
  for (const box of await Promise.all((await items.all()).map((item) => item.boundingBox()))) {
    assert.ok(box.x >= 0 && box.x + box.width <= 390, JSON.stringify(box));
  }
  await phone.context().close();
});
