// SPDX-License-Identifier: Apache-2.0
// What a row says where there is little room, how high it is, and what the server would say of the same host.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { quiet, settled, World } from './world.mjs';

const phone = { width: 390, height: 844 };
let world;
before(async () => {
  world = await World.start();
  await world.seed(24);
});
after(() => world?.stop());

async function opened(path, size = {}) {
  const page = await world.page(size);
  await page.goto(world.url + path);
  await settled(page);
  return page;
}
const rowsOf = (page, name) => page.getByRole('table', { name, exact: true }).locator('tbody tr:not([aria-hidden])');
/** Each row's text in one line, as far as it is to be seen. */
const textsOf = async (rows) => (await rows.allInnerTexts()).map((text) => text.replace(/\s+/g, ' '));

test('on a phone each of the findings of one flaw says its package and its host', async () => {
  const { items } = await world.api('GET', '/findings?cve=CVE-2023-4863');
  assert.ok(items.length > 1);
  const page = await opened('/findings?cve=CVE-2023-4863', phone);
  const texts = await textsOf(rowsOf(page, 'Findings'));
  assert.ok(texts.length > 1);
  for (const [index, text] of texts.entries()) {
    for (const part of ['CVE-2023-4863', items[index].package, items[index].hostname, 'KEV']) assert.ok(text.includes(part), `${text} lacks ${part}`);
  }
  assert.equal(new Set(texts).size, texts.length, 'no two rows are the same');
  await page.context().close();
});

test('on a phone the findings of a host and of an image say their package and what fixes them', async () => {
  const host = (await world.api('GET', '/hosts?hostname=web')).items[0].id;
  const image = (await world.api('GET', '/images')).items[0].id;
  for (const [path, api, name] of [[`/hosts/${host}?tab=findings`, `/findings?host=${host}`, 'Findings'], [`/images/${image}`, `/images/${image}/findings`, 'Findings of the image']]) {
    const { items } = await world.api('GET', api);
    assert.ok(items.length > 0, path);
    const page = await opened(path, phone);
    for (const [index, text] of (await textsOf(rowsOf(page, name))).entries()) {
      const { package: of, fixed_version: fixed } = items[index];
      assert.ok(text.includes(of), `${text} lacks ${of}`);
      if (fixed) assert.ok(text.includes(`fixed in ${fixed}`), `${text} lacks ${fixed}`);
    }
    await page.context().close();
  }
});

test('a choice of EPSS keeps what is exploited, and shows what has no score when it is asked for', async () => {
  const { items, next_cursor: more } = await world.api('GET', '/findings?limit=1000');
  assert.equal(more, null);
  const likely = items.filter((each) => each.kev || (each.epss !== null && each.epss >= 0.1));
  const unscored = items.filter((each) => !each.kev && each.epss === null);
  // Each kind is there, or the choice would not be seen to do anything.
  assert.ok(likely.some((each) => each.kev) && likely.some((each) => !each.kev) && unscored.length > 0);
  assert.ok(likely.length + unscored.length < items.length, 'some are unlikely');
  const page = await opened('/findings');
  const total = (count) => page.locator('.page-head .total').getByText(String(count), { exact: true }).waitFor();
  await total(items.length);
  await page.getByRole('combobox', { name: 'EPSS', exact: true }).selectOption({ label: 'EPSS ≥ 10 %, or exploited' });
  await total(likely.length);
  await quiet(page);
  assert.equal(new URL(page.url()).searchParams.get('min_epss'), '0.1');
  const flaws = new Set(likely.map((each) => each.cve));
  const shown = await textsOf(rowsOf(page, 'Findings').locator('td:first-child a'));
  assert.ok(shown.length > 0);
  for (const flaw of shown) assert.ok(flaws.has(flaw), flaw);
  await page.getByText(`${unscored.length} without an EPSS score not shown`).waitFor();
  await page.getByRole('button', { name: 'Show them' }).click();
  await total(likely.length + unscored.length);
  assert.ok(await page.getByRole('checkbox', { name: 'Unknown EPSS' }).isChecked());
  await page.getByRole('button', { name: 'Show them' }).waitFor({ state: 'detached' });
  await page.getByRole('combobox', { name: 'EPSS', exact: true }).selectOption({ label: 'Any EPSS' });
  await total(items.length);
  await page.getByRole('checkbox', { name: 'Unknown EPSS' }).waitFor({ state: 'detached' });
  await page.context().close();
});

test('alerts are rows of one height, however much there is to say of them', async () => {
  const made = [];
  for (let number = 0; number < 40; ++number) {
    const name = number % 2 ? `Alert ${number}` : `Alert ${number}, which has a name that is longer than any column of the list is wide`;
    made.push(await world.api('POST', '/alerts', { name, query: 'os:linux tag:production -hostname:db-* OR hostname:build-*', above: 0, for_seconds: 600 }));
  }
  await world.api('POST', `/alerts/${made[39].id}/mute`, { for_seconds: 3600 });
  for (const size of [{}, phone]) {
    const page = await opened('/alerts', size);
    const heights = await rowsOf(page, 'Alerts').evaluateAll((rows) => [...new Set(rows.map((row) => Math.round(row.getBoundingClientRect().height)))]);
    assert.deepEqual(heights, [56]);
    const whole = () => page.evaluate(() => document.documentElement.scrollHeight);
    const before = await whole();
    for (const to of [300, 700, 1100, 1900]) {
      await page.evaluate((top) => new Promise((done) => { scrollTo(0, top); requestAnimationFrame(() => requestAnimationFrame(done)); }), to);
      assert.ok(await page.evaluate(() => scrollY) > 0);
      assert.ok(Math.abs((await whole()) - before) <= 2, 'the page does not grow or shrink under who scrolls it');
    }
    await page.context().close();
  }
  for (const alert of made) await world.api('DELETE', `/alerts/${alert.id}`);
});

test('host by host, a release is to be taken where the server offers it, whatever way versions are written', async () => {
  const sha256 = await world.blob('an older program of agents', '?org=0');
  // Published last, and not the highest.
  await world.api('POST', '/releases', { version: '1.0.9', os: 'linux', arch: 'amd64', sha256 });
  const states = {
    '0.10.0': 'to be updated', '1.1.0-rc.2': 'to be updated', '1.0.9': 'to be updated', '1.1.0': 'up to date', 'v1.1.0': 'up to date',
    '1.1.0+build.5': 'up to date', '1.1.0.1': 'newer', '1.10.0': 'newer',
  };
  const asked = [];
  for (const [index, version] of Object.keys(states).entries()) asked.push({ version, agent: await world.enrol(`runs-${index}`, undefined, version) });
  const page = await opened('/releases?tab=hosts&hostname=runs-');
  const texts = await textsOf(rowsOf(page, 'Update state'));
  assert.equal(texts.length, asked.length);
  for (const { version, agent } of asked) {
    const text = texts.find((each) => each.startsWith(agent.hostname));
    assert.ok(text.includes(` ${version} 1.1.0 ${states[version]} `), text);
    const offer = await world.ask('GET', '/api/agent/update', undefined, {
      'X-Agent-Key': agent.key, 'X-Agent-ID': agent.id, 'X-Request-Timestamp': new Date().toISOString(), 'X-Agent-Version': version,
    });
    assert.equal(offer?.data.version, states[version] === 'up to date' ? undefined : '1.1.0', version);
  }
  await page.context().close();
});
