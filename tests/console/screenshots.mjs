// SPDX-License-Identifier: Apache-2.0
// screenshots.mjs [DIR]: pictures of the console with a fleet in it, for docs/guides/console.md; with
// --all of every page in light, dark and on a phone, to look at; --only NAME for some of them; with
// --compare none is written, and it fails when a page does not look like its picture.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { indexed } from './indexed_png.mjs';
import { difference } from './likeness.mjs';
import { settled, World } from './world.mjs';

const flags = process.argv.slice(2);
const all = flags.includes('--all');
const compare = flags.includes('--compare');
const most = 0.035; // of a picture may differ: twice what two of the same page did, less than of two alike pages do
const only = flags.includes('--only') ? flags[flags.indexOf('--only') + 1].split(',') : undefined;
const given = flags.find((argument, index) => !argument.startsWith('--') && flags[index - 1] !== '--only');
const target = given ?? fileURLToPath(new URL('../../docs/guides/console', import.meta.url));
mkdirSync(target, { recursive: true });

/** A day of samples, which a fleet of a minute does not have: calm, busy at night, and silent for an hour. */
function pastDay() {
  const points = [];
  const now = Math.floor(Date.now() / 300_000) * 300_000;
  for (let ago = 287; ago >= 0; --ago) {
    if (ago > 100 && ago < 114) continue;
    const wave = Math.sin(ago / 9) * 6 + Math.sin(ago / 2.3) * 3;
    const backup = ago > 190 && ago < 202 ? 44 : 0;
    points.push({ at: new Date(now - ago * 300_000).toISOString(), cpu_percent: Math.round(14 + wave + backup), memory_mb: Math.round(2100 + wave * 22 + backup * 9), disk_free_mb: Math.round(40_100 - (288 - ago) * 2.4) });
  }
  return { sample_seconds: 300, every: 1, points };
}
/** Months of counts, which it does not have either: a wave of new flaws, and how it was worked off. */
function pastMonths() {
  const today = Math.floor(Date.now() / 86_400_000);
  const points = [];
  for (let ago = 89; ago >= 0; --ago) {
    const wave = ago > 50 ? 0 : Math.round(38 * Math.exp(-(50 - ago) / 14));
    const day = new Date((today - ago) * 86_400_000).toISOString();
    points.push({ day: day.slice(0, 10), counted_at: day, critical: 6 + Math.round(wave / 3), high: 60 + wave * 3, medium: 410 + wave - (89 - ago), low: 240, negligible: 310, unknown: 12, kev: 4 + Math.round(wave / 5) });
  }
  return { days: 90, points };
}
async function drawHistory(page) {
  await page.route('**/api/v1/finding-trend?*', (route) => route.fulfill({ json: pastMonths() }));
  await page.route('**/api/v1/agents/*/history?*', (route) => route.fulfill({ json: pastDay() }));
  // Its agent is as old as its samples.
  await page.route(/\/api\/v1\/agents\/[^/?]+$/, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), enrolled_at: new Date(Date.now() - 40 * 86_400_000).toISOString() } });
  });
}

const world = await World.start();
try {
  await world.seed(60);
  const items = async (path) => (await world.api('GET', path)).items;
  const first = async (path) => (await items(path))[0].id;
  const host = await first('/hosts?hostname=web-004');
  const [later, earlier] = (await items('/batches')).filter((batch) => batch.type === 'execute_test');
  const tested = await first(`/tasks?batch=${later.id}`);
  // Of the pages in docs/guides/console.md, the first few also in the dark and on a phone.
  const shots = {
    overview: '/', trend: '/', hosts: '/hosts', host: `/hosts/${host}`, 'host-software': `/hosts/${host}?tab=software`, agents: '/agents', tasks: '/tasks', 'new-task': '/tasks/new',
    task: `/tasks/${await first('/tasks?status=completed&type=execute_command')}`, results: '/results', 'heat-map': `/tasks/${tested}`, batch: `/batches/${later.id}`,
    compare: `/compare?kind=batch&from=${earlier.id}&to=${later.id}`, releases: '/releases', findings: '/findings', 'findings-by-package': '/findings?group=package',
    finding: `/findings/${await first('/findings?kev=true')}`, software: '/software', images: '/images', image: `/images/${await first('/images')}`, held: '/held', feeds: '/feeds',
    enrolment: '/enrolment', 'agent-keys': '/agent-keys', events: '/events', audit: '/audit', doctor: '/doctor', settings: '/settings', operators: '/operators', account: '/account',
    search: '/search?q=web-00',
  };
  const inTheDark = ['overview', 'batch'];
  const onAPhone = ['findings', 'batch'];
  const take = async (page, name, path) => {
    await page.goto(world.url + path);
    await settled(page);
    if (name.startsWith('trend')) await page.getByRole('region', { name: 'Open findings' }).scrollIntoViewIfNeeded();
    if (name === 'heat-map') await page.getByRole('region', { name: 'Heat map' }).scrollIntoViewIfNeeded();
    const picture = indexed(await page.screenshot());
    const file = join(target, `${name}.png`);
    if (!compare) return writeFileSync(file, picture);
    const share = await difference(judge, readFileSync(file), picture);
    console.log(`${(share * 100).toFixed(1)} % ${name}`);
    if (share <= most) return;
    process.exitCode = 1;
    console.error(`${name} does not look as in ${file}: if that is meant, ./check console --screenshots`);
  };
  const wanted = (among) => Object.entries(shots).filter(([name]) => (all || !among || among.includes(name)) && (!only || only.includes(name)));
  const height = 720;
  const views = [
    [await world.page({ height }), '', wanted()],
    [await world.page({ height, colorScheme: 'dark' }), '-dark', wanted(inTheDark)],
    [await world.page({ width: 390, height: 844 }), '-phone', wanted(onAPhone)],
  ];
  const judge = await (await world.browser.newContext()).newPage();
  for (const [page, suffix, some] of views) {
    await drawHistory(page);
    for (const [name, path] of some) await take(page, name + suffix, path);
  }
} finally {
  await world.stop();
}
