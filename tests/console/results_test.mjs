// SPDX-License-Identifier: Apache-2.0
// What tests of hosts found out: the heat map, the lists behind it, comparisons, and lists as files.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { bundleOf, firstRun, hygiene, secondRun } from './catalogue.mjs';
import { quiet, settled, World } from './world.mjs';

let world;
let page;
let earlier;
let later;
before(async () => {
  world = await World.start();
  await world.seed(8);
  [later, earlier] = (await world.api('GET', '/batches')).items.filter((batch) => batch.type === 'execute_test');
  page = await world.page();
});
after(() => world?.stop());

async function open(path) {
  await page.goto(world.url + path);
  await settled(page);
}
const taskOf = async (batch, hostname) => (await world.api('GET', `/tasks?batch=${batch.id}`)).items.find((task) => task.hostname === hostname).id;
const map = () => page.getByRole('region', { name: 'Heat map' });
const rows = () => page.getByRole('table', { name: 'Controls' }).locator('tbody tr:not([aria-hidden])');
async function saved(button) {
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: button }).click()]);
  return { name: file.suggestedFilename(), text: readFileSync(await file.path(), 'utf8') };
}
/** The cells of a CSV text (RFC 4180). */
function cellsOf(text) {
  const lines = [[]];
  for (const [, quoted, plain, end] of text.replace(/^\uFEFF/, '').matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    lines.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === '\r\n') lines.push([]);
    if (end === '') break;
  }
  return lines.filter((line) => line.length > 1);
}

test('the heat map has a column for each tactic, in the order of an attack, and says in words how a technique fared', async () => {
  await open(`/batches/${later.id}`);
  const names = await map().getByRole('group').evaluateAll((groups) => groups.map((group) => group.getAttribute('aria-label')));
  assert.deepEqual(names, ['Execution', 'Persistence', 'Privilege escalation', 'Defense evasion', 'Credential access', 'Discovery', 'Lateral movement', 'Command and control', 'Impact']);
  await map().getByRole('link', { name: 'T1059.004: 4 unprotected' }).waitFor();
  await map().getByRole('link', { name: 'T1003.008: 4 protected' }).waitFor();
  const shown = map().getByRole('link', { name: 'T1110.001: 1 error, 3 protected' }).locator('[aria-hidden]');
  assert.deepEqual(await shown.allInnerTexts(), ['!', 'T1110.001', '3/4']);
});

test('a tile leads to its controls by an address that can be passed on, and back', async () => {
  await open(`/batches/${later.id}`);
  const tile = map().getByRole('group', { name: 'Defense evasion' }).getByRole('link', { name: /^T1548.003/ });
  await tile.focus();
  await page.keyboard.press('Enter');
  await page.getByText('4 of 52').waitFor();
  const address = new URL(page.url());
  assert.deepEqual([address.searchParams.get('tactic'), address.searchParams.get('technique')], ['defense-evasion', 'T1548.003']);
  await open(address.pathname + address.search);
  assert.equal(await rows().count(), 4);
  await page.getByLabel('Outcome').selectOption('unprotected');
  await page.getByText('1 of 52').waitFor();
  assert.equal(await rows().first().getByRole('cell').nth(1).innerText(), 'build-002');
  await page.getByRole('button', { name: 'All controls' }).click();
  await page.getByText('52 of 52').waitFor();
});

test('a number of the matrix leads to the hosts behind it', async () => {
  await open(`/batches/${later.id}`);
  await page.getByRole('link', { name: 'Backups cannot be deleted from here: 1 unprotected' }).click();
  await page.getByText('1 of 52').waitFor();
  assert.equal(await rows().first().getByRole('cell').nth(1).innerText(), 'desk-003');
});

test('two batches are compared: what got worse, better, is new and is gone', async () => {
  await open(`/batches/${later.id}`);
  await page.getByRole('link', { name: 'Compare with the one before' }).click();
  await page.getByRole('heading', { name: `${hygiene.name}, compared` }).waitFor();
  const counts = page.getByRole('navigation', { name: 'Changes' });
  for (const [title, number] of Object.entries({ 'passed → failed': 4, 'failed → passed': 3, 'changed otherwise': 2, new: 4, gone: 4, 'as before': 39 })) {
    assert.match((await counts.getByRole('link', { name: title }).innerText()).replace(/\s+/g, ' '), new RegExp(`^\\S ${number} `), title);
  }
  await counts.getByRole('link', { name: 'failed → passed' }).click();
  await page.getByText('1–3 of 3').waitFor();
  assert.equal(new URL(page.url()).searchParams.get('show'), 'better');
});

test('two runs on one host are compared', async () => {
  await open(`/tasks/${await taskOf(later, 'build-002')}`);
  await page.getByRole('link', { name: 'Compare with the run before' }).click();
  await page.getByRole('heading', { name: `${hygiene.name}, compared` }).waitFor();
  // EH-02 failed now, EH-07 was an error, EH-13 is new, EH-14 is gone; EH-05 failed both times.
  const changes = await page.getByRole('table', { name: 'Changes' }).locator('tbody tr:not([aria-hidden])').evaluateAll((lines) => lines.map((line) => line.innerText.replace(/\s+/g, ' ')));
  assert.equal(changes.length, 4);
  assert.match(changes[0], /passed → failed Sudo asks for a password ✓ protected ✗ unprotected/);
  assert.match(changes[1], /changed otherwise No foreign unit files ! error ✓ protected/);
  await page.getByRole('link', { name: 'Swap' }).click();
  await page.getByText(/failed → passed/).first().waitFor();
  assert.equal(new URL(page.url()).searchParams.get('to'), await taskOf(earlier, 'build-002'));
});

test('results without tactics are shown by technique, and hostile names stay text', async () => {
  const agent = world.agents[5];
  const found = bundleOf();
  found.controls = [
    { ...found.controls[0], tactics: null, techniques: ['T1001'] },
    { ...found.controls[1], tactics: [], techniques: ['<img src=x onerror=document.title=1>'], control_name: '<b onclick=1>' },
    { ...found.controls[2], tactics: null, techniques: null },
  ];
  const { task_ids } = await world.api('POST', '/tasks', { type: 'execute_test', agent_ids: [agent.id], test_uuid: hygiene.uuid, test_name: hygiene.name, binary_name: hygiene.file });
  await world.work(agent, { exit_code: 126, bundle_results: found });
  await open(`/tasks/${task_ids[0]}`);
  assert.deepEqual(await map().getByRole('group').evaluateAll((groups) => groups.map((group) => group.getAttribute('aria-label'))), ['Techniques']);
  await map().getByRole('link', { name: 'T1001: 1 protected' }).click();
  await page.getByText('1 of 3').waitFor();
  await map().getByRole('link', { name: '1 control' }).click();
  await page.getByRole('button', { name: 'Not only no technique' }).waitFor();
  await page.getByText('1 of 3').waitFor();
  assert.notEqual(await page.title(), '1');
});

test('results are listed by host, test, outcome and batch', async () => {
  await open('/results?outcome=unprotected');
  const expected = firstRun.length + secondRun.length;
  await page.getByText(`1–${expected} of ${expected}`).waitFor();
  await page.getByRole('tab', { name: 'By batch' }).click();
  await page.getByRole('table', { name: 'Batches' }).getByRole('link', { name: hygiene.name }).first().click();
  await page.getByRole('heading', { name: 'Controls over hosts' }).waitFor();
  await open('/hosts/web-004?tab=results');
  await page.getByRole('table', { name: 'Results' }).getByRole('link', { name: hygiene.name }).first().waitFor();
});

test('a list is saved whole, and a spreadsheet computes nothing of it', async () => {
  const hostile = ['=HYPERLINK("http://example.org","x")', '+1+1', '-2+3', '@SUM(A1)', 'a "quoted", name'];
  for (const name of hostile) await world.report(await world.enrol(name), []);
  await open('/hosts');
  const file = await saved('Export Hosts as CSV');
  assert.equal(file.name, 'hosts.csv');
  const [head, ...lines] = cellsOf(file.text);
  const names = lines.map((line) => line[head.indexOf('hostname')]);
  assert.equal(lines.length, (await world.api('GET', '/hosts')).total.value);
  for (const name of hostile) assert.ok(names.includes(/^[=+@-]/.test(name) ? `'${name}` : name), name);
  for (const cell of lines.flat()) assert.ok(!/^[=+@\t\r]/.test(cell) && !/^-(?!\d+(\.\d+)?$)/.test(cell), cell);
  const json = await saved('Export Hosts as JSON');
  assert.deepEqual(JSON.parse(json.text).map((host) => host.hostname), names.map((name) => name.replace(/^'/, '')));
});

test('a comparison and the software of a host are saved as they are narrowed', async () => {
  await open(`/compare?kind=batch&from=${earlier.id}&to=${later.id}&show=worse`);
  const [head, ...lines] = cellsOf((await saved('Export Changes as CSV')).text);
  assert.deepEqual(lines.map((line) => [line[head.indexOf('before')], line[head.indexOf('after')]]), Array(4).fill(['protected', 'unprotected']));
  await open('/hosts/web-004?tab=software&assessment=vulnerable&name=libw');
  const software = JSON.parse((await saved('Export Software as JSON')).text);
  assert.deepEqual(software.map((each) => each.name), ['libwebp']);
});

test('one box finds hosts by tag too', async () => {
  await world.api('POST', `/agents/${world.agents[0].id}/tags`, { add: ['canary'], remove: [] });
  await open('/');
  await page.keyboard.press('/');
  await page.keyboard.type('canary');
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'Hosts tagged canary' }).getByRole('link', { name: world.agents[0].hostname }).waitFor();
});

test('the overview counts what happened on each day, and leads to it', async () => {
  await open('/');
  const today = page.getByRole('region', { name: 'Trends' }).getByRole('link', { name: /^Hosts enrolled, / }).last();
  assert.match(await today.locator('.hidden').innerText(), new RegExp(`: ${world.agents.length}$`));
  await today.click();
  await page.getByRole('heading', { name: 'Events' }).waitFor();
  await page.getByText(`of ${world.agents.length}`).waitFor();
});

test('the overview plots how many findings were open, and says it without the plot', async () => {
  const dayOf = (ago) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
  const points = Array.from({ length: 40 }, (_, index) => ({
    day: dayOf(39 - index), counted_at: new Date().toISOString(), critical: 1, high: 2, medium: 3, low: 4, negligible: 0, unknown: 0, kev: 1,
    ...(index === 39 ? { critical: 3 } : {}),
  }));
  const asked = [];
  await page.route('**/api/v1/finding-trend*', (route) => {
    asked.push(new URL(route.request().url()).searchParams.get('days'));
    return route.fulfill({ json: { days: 90, points } });
  });
  await open('/');
  const card = page.getByRole('region', { name: 'Open findings' });
  await card.getByRole('img', { name: `Open findings on 40 days since ${dayOf(39)}: 2 more than on ${dayOf(39)}` }).waitFor();
  // Something is drawn: a canvas with more than one colour.
  await card.locator('canvas').first().waitFor();
  const colours = await card.locator('canvas').first().evaluate((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });
  assert.ok(colours > 5, `${colours} colours`);
  await card.getByLabel('How far back').selectOption('30');
  await page.waitForURL(/days=30/);
  await quiet(page);
  assert.deepEqual([asked[0], asked.at(-1)], ['90', '30']);
  await page.unroute('**/api/v1/finding-trend*');
});
