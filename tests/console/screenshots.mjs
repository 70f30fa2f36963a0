// SPDX-License-Identifier: Apache-2.0
// screenshots.mjs [DIR]: pictures of the console with a fleet in it, for docs/guides/console.md; with
// --all of every page in light, dark and on a phone, to look at.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { World } from './world.mjs';

const all = process.argv.includes('--all');
const given = process.argv.slice(2).find((argument) => !argument.startsWith('--'));
const target = given ?? fileURLToPath(new URL('../../docs/guides/console', import.meta.url));
mkdirSync(target, { recursive: true });

const world = await World.start();
try {
  await world.seed(all ? 120 : 60);
  const first = async (path) => (await world.api('GET', path)).items[0].id;
  const host = await first('/hosts?hostname=web');
  const shots = {
    overview: '/',
    hosts: '/hosts',
    host: `/hosts/${host}`,
    finding: `/findings/${await first('/findings?kev=true')}`,
    task: `/tasks/${await first('/tasks?status=completed')}`,
    ...(all && {
      findings: '/findings', 'findings-by-cve': '/findings?group=cve', feeds: '/feeds', doctor: '/doctor',
      agents: '/agents', software: '/software', images: '/images', image: `/images/${await first('/images')}`, held: '/held', tasks: '/tasks',
      'new-task': '/tasks/new', releases: '/releases', enrolment: '/enrolment', 'agent-keys': '/agent-keys', events: '/events', audit: '/audit',
      settings: '/settings', operators: '/operators', account: '/account', search: '/search?q=web-00', 'host-software': `/hosts/${host}?tab=software`,
    }),
  };
  const take = async (page, name, path) => {
    await page.goto(world.url + path);
    await page.waitForLoadState('networkidle');
    await page.screenshot({ path: join(target, `${name}.png`) });
  };
  const height = 720;
  const light = await world.page({ height });
  for (const [name, path] of Object.entries(shots)) await take(light, name, path);
  const dark = await world.page({ height, colorScheme: 'dark' });
  for (const [name, path] of Object.entries(all ? shots : { overview: '/' })) await take(dark, `${name}-dark`, path);
  const phone = await world.page({ width: 390, height: 844 });
  for (const [name, path] of Object.entries(all ? shots : { findings: '/findings' })) await take(phone, `${name}-phone`, path);
} finally {
  await world.stop();
}
