// SPDX-License-Identifier: Apache-2.0
// Hosts are enrolled, given work of each kind and brought up to date, from the pages that do it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bundleOf, hygiene } from './catalogue.mjs';
import { settled, World } from './world.mjs';

let world;
let page;
before(async () => {
  world = await World.start();
  page = await world.page();
});
after(() => world?.stop());

async function open(path) {
  await page.goto(world.url + path);
  await page.getByRole('main').waitFor();
  await settled(page);
}
async function called(hostname, agent_version = '1.0.0') {
  const agent = await world.enrol(hostname);
  await world.asAgent(agent, 'POST', '/heartbeat', { status: 'idle', agent_version });
  return agent;
}
const kind = () => page.getByRole('combobox', { name: 'What the hosts get' });
const review = () => page.getByRole('button', { name: 'Review…' });
const question = () => page.getByRole('dialog');
async function chooseHost(hostname) {
  await page.getByLabel('Host contains').fill(hostname);
  await page.getByLabel(hostname, { exact: true }).check();
}
const idOfPage = () => new URL(page.url()).pathname.split('/').at(-1);

test('a test is given to a host with its arguments, once one is uploaded', async () => {
  const agent = await called('tested-1');
  await open('/tasks/new?type=execute_test');
  await page.getByText('None is uploaded yet').waitFor();
  await chooseHost('tested-1');
  assert.equal(await review().isDisabled(), true, 'there is nothing to run');
  await world.api('POST', '/binaries', { test_uuid: hygiene.uuid, name: hygiene.file, sha256: await world.blob('the program of the test') });

  await open('/tasks/new?type=execute_test');
  await page.getByRole('combobox', { name: 'Test', exact: true }).selectOption({ label: `${hygiene.file} (${hygiene.uuid})` });
  await page.getByLabel('Arguments, one on each line').fill('--quick\n\n--target /srv/data\n');
  await page.getByLabel('Ends after (minutes)').fill('10');
  await chooseHost('tested-1');
  await review().click();
  await question().getByText(`${hygiene.file} --quick`).waitFor();
  await question().getByText('tested-1').waitFor();
  assert.equal((await world.api('GET', '/tasks')).items.length, 0, 'asked, not done');
  await question().getByRole('button', { name: 'Run on 1 host' }).click();
  await page.getByText('Waiting for the agent.').waitFor();
  const task = await world.api('GET', `/tasks/${idOfPage()}`);
  assert.deepEqual([task.type, task.execution_timeout, task.hostname], ['execute_test', 600, 'tested-1']);

  const found = bundleOf({ 'EH-03': 'failed' });
  const polled = await world.work(agent, { stdout: 'one control does not hold\n', exit_code: found.overall_exit_code, test_uuid: hygiene.uuid, bundle_results: found });
  assert.deepEqual([polled.payload.test_uuid, polled.payload.binary_name, polled.payload.arguments], [hygiene.uuid, hygiene.file, ['--quick', '--target /srv/data']]);
  await page.getByText('one control does not hold').waitFor();
  await page.getByRole('table', { name: 'Controls' }).waitFor();
});

test('an update is given to all hosts that a query means', async () => {
  const agents = [await called('renewed-1'), await called('renewed-2')];
  await called('not-renewed');
  await open('/tasks/new');
  await kind().selectOption({ label: 'An update of the agent' });
  await page.getByText('Agents fetch the newest release').waitFor();
  assert.equal(new URL(page.url()).searchParams.get('type'), 'update_agent');
  assert.equal(await page.getByLabel('Ends after (minutes)').count(), 0, 'an update has its own time');
  await page.getByLabel('All hosts that match a query').fill('hostname:renewed-*');
  await page.getByRole('status').getByText('2 hosts: ').waitFor();
  await review().click();
  await question().getByText('Update the agent to the newest release of its platform').waitFor();
  await question().getByRole('button', { name: 'Run on 2 hosts' }).click();
  await page.waitForURL(/\/batches\//);
  const made = (await world.api('GET', `/tasks?batch=${idOfPage()}`)).items;
  assert.deepEqual(made.map((task) => [task.type, task.hostname]).sort(), [['update_agent', 'renewed-1'], ['update_agent', 'renewed-2']]);
  for (const agent of agents) assert.equal((await world.work(agent, { stdout: 'already up to date' })).type, 'update_agent');
});

test('an agent is asked to remove itself, with its files, and has ended once it says so', async () => {
  const agent = await called('leaving-1');
  await open(`/tasks/new?agent=${agent.id}`);
  await page.getByText('1 chosen').waitFor();
  await kind().selectOption({ label: 'The removal of the agent' });
  await page.getByText('comes back with a new enrolment alone').waitFor();
  await review().click();
  await question().getByText('Uninstall the agent', { exact: true }).waitFor();
  await question().getByRole('button', { name: 'Close' }).click();
  await page.getByLabel("Delete the agent's files too").check();
  await review().click();
  await question().getByText('Uninstall the agent, with its files').waitFor();
  await question().getByRole('button', { name: 'Run on 1 host' }).click();
  await page.getByText('Waiting for the agent.').waitFor();
  const polled = await world.work(agent, { stdout: 'uninstall initiated' });
  assert.deepEqual([polled.type, polled.payload.command], ['uninstall', 'cleanup']);
  await page.getByRole('status').getByText('completed').waitFor();
  assert.equal((await world.api('GET', `/agents/${agent.id}`)).status, 'uninstalled');
  await open('/hosts/leaving-1');
  await page.getByText('No live agent').waitFor();
  assert.equal(await page.getByRole('link', { name: 'Run a task' }).count(), 0);
});

test('releases say host by host what runs and what is offered', async () => {
  await called('behind-1');
  await called('current-1', '1.1.0');
  const { token } = await world.api('POST', '/tokens', {});
  await world.ask('POST', '/api/agent/enroll', { token, hostname: 'unserved-1', os: 'darwin', arch: 'arm64', agent_version: '1.0.0', machine_id: 'machine-unserved-1' }, {});
  const sha256 = await world.blob('the program of agents', '?org=0');
  const release = await world.api('POST', '/releases', { version: '1.1.0', os: 'linux', arch: 'amd64', sha256 });
  await open('/releases');
  await page.getByRole('tab', { name: 'Host by host' }).click();
  const row = (hostname) => page.getByRole('table', { name: 'Update state' }).getByRole('row').filter({ hasText: hostname });
  await row('behind-1').getByText('to be updated').waitFor();
  assert.equal(await row('behind-1').getByRole('cell', { name: '1.0.0', exact: true }).count(), 1, 'what it runs');
  assert.equal(await row('behind-1').getByRole('cell', { name: '1.1.0', exact: true }).count(), 1, 'what it is offered');
  await row('current-1').getByText('up to date').waitFor();
  await row('unserved-1').getByText('nothing offered').waitFor();
  assert.equal(new URL(page.url()).searchParams.get('tab'), 'hosts', 'it can be passed on');

  await page.getByLabel('Host contains').fill('current-');
  await row('behind-1').waitFor({ state: 'detached' });
  await row('current-1').getByRole('link', { name: 'current-1' }).waitFor();
  // What is withdrawn is offered to nobody.
  await world.api('POST', `/releases/${release.id}/withdraw`);
  await open('/releases?tab=hosts');
  await row('behind-1').getByText('nothing offered').waitFor();
});

test('a token is for its networks and systems, and says who used it', async () => {
  await open('/enrolment');
  await page.getByRole('button', { name: 'New token' }).click();
  await page.getByLabel('Enrolments').fill('5');
  await page.getByLabel('Networks that may enrol, separated by commas').fill('127.0.0.0/8, 10.20.0.0/16');
  await page.getByLabel('Systems that may enrol, separated by commas').fill('linux');
  await page.getByRole('button', { name: 'Create' }).click();
  const token = await page.getByRole('dialog').locator('pre').first().innerText();
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  const row = page.getByRole('table', { name: 'Enrolment tokens' }).getByRole('row').filter({ hasText: '10.20.0.0/16' });
  await row.getByRole('cell', { name: /127.0.0.0\/8/ }).waitFor();
  await row.getByText('0 of 5').waitFor();
  assert.equal(await row.getByRole('button', { name: '0 of 5' }).count(), 0, 'nobody used it');

  await world.enrol('fenced-1', token);
  const foreign = { token, hostname: 'fenced-2', os: 'darwin', arch: 'arm64', agent_version: '1.0.0' };
  await assert.rejects(world.ask('POST', '/api/agent/enroll', foreign, {}), /: 403 .*outside_token_fence/);
  await open('/enrolment');
  await row.getByRole('button', { name: '1 of 5' }).click();
  const users = page.getByRole('dialog', { name: /^Who used token \d+$/ });
  await users.getByRole('cell', { name: '127.0.0.1' }).waitFor();
  await users.getByRole('link', { name: 'fenced-1' }).click();
  await page.getByRole('heading', { name: 'fenced-1' }).waitFor();
});

test('a token for other networks enrols nobody here', async () => {
  await open('/enrolment');
  await page.getByRole('button', { name: 'New token' }).click();
  await page.getByLabel('Networks that may enrol, separated by commas').fill('192.0.2.7/24');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('dialog').getByRole('alert').getByText('has bits set behind its prefix').waitFor();
  await page.getByLabel('Networks that may enrol, separated by commas').fill('192.0.2.0/24');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByText('The token is shown this once.').waitFor();
  const token = await page.getByRole('dialog').locator('pre').first().innerText();
  await assert.rejects(world.enrol('elsewhere-1', token), /: 403 .*outside_token_fence/);
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
});
