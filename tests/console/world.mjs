// SPDX-License-Identifier: Apache-2.0
// A musterd of its own with a fleet in it, all through the real APIs, and a browser in front of it.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { bundleOf, exploited, firstRun, hygiene, kinds, likelihoods, osvRecord, secondRun, trackerOf, trivyReport } from './catalogue.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const binaries = process.env.MUSTER_BIN ?? join(root, 'build/release/bin');
// A build of the console to look at instead of the one in musterd: console/dist after `npm run build`.
const otherConsole = process.env.MUSTER_CONSOLE;
const browserPath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Starts musterd on a port of its own choice; it ends with stop(). */
async function startServer(data, settings) {
  const file = join(data, 'musterd.toml');
  writeFileSync(file, settings);
  const server = spawn(join(binaries, 'musterd'), ['--data', data, '--listen', '127.0.0.1:0', '--config', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lines = [];
  const port = await new Promise((resolve, reject) => {
    createInterface({ input: server.stderr }).on('line', (line) => {
      lines.push(line);
      const started = /"event": "server_started".*"port": (\d+)/.exec(line);
      if (started) resolve(Number(started[1]));
    });
    server.on('exit', (code) => reject(new Error(`musterd ended with ${code}: ${lines.join('\n')}`)));
  });
  const stop = () =>
    new Promise((resolve) => {
      server.removeAllListeners('exit');
      server.on('exit', resolve);
      server.kill('SIGTERM');
    });
  return { port, stop, lines, pid: server.pid };
}

const types = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.html': 'text/html' };
const typeOf = (file) => types[extname(file)] ?? 'application/octet-stream';

/** Until the page has asked for nothing for half a second; what it watches goes on. */
export async function quiet(page, patience = 60_000) {
  const until = Date.now() + patience;
  for (let since = Date.now(); Date.now() - since < 500; await page.waitForTimeout(50)) {
    if (page.underWay.size > 0) since = Date.now();
    if (Date.now() > until) throw new Error(`still under way: ${[...page.underWay].map((each) => each.url())}`);
  }
}

/** Until the page shows all that it asked for. */
export async function settled(page) {
  await quiet(page);
  await page.locator('.skeleton').first().waitFor({ state: 'detached' });
}

export class World {
  /** `settings` may be a function of the data directory, into which `files` are written first. */
  static async start(settings = '', files = {}) {
    const world = new World();
    world.data = mkdtempSync(join(tmpdir(), 'muster-console-'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(world.data, name), text);
    world.settings = typeof settings === 'function' ? settings(world.data) : settings;
    world.agents = [];
    await world.startServer();
    world.token = readFileSync(join(world.data, 'admin.token'), 'utf8').trim();
    return world;
  }
  async startServer() {
    const { port, stop, lines, pid } = await startServer(this.data, this.settings);
    this.url = `http://127.0.0.1:${port}`;
    this.stopServer = stop;
    this.lines = lines;
    this.pid = pid;
  }
  async stop() {
    await this.browser?.close();
    await this.stopServer();
    rmSync(this.data, { recursive: true });
  }

  /** Milliseconds of processor that the server has used (proc(5), schedstat): not what others on the machine did. */
  processorMs() {
    const threads = readdirSync(`/proc/${this.pid}/task`);
    const each = threads.map((thread) => Number(readFileSync(`/proc/${this.pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]));
    return each.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1e6;
  }

  /** One request; fails the test when the server says no. */
  async ask(method, path, body, headers = { Authorization: `Bearer ${this.token}` }) {
    const response = await fetch(this.url + path, {
      method,
      headers: { 'Content-Type': 'application/json', ...headers },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }
  api(method, path, body) {
    return this.ask(method, `/api/v1${path}`, body);
  }

  // --- Hosts ------------------------------------------------------------------------------------
  async enrol(hostname, token, version = '1.0.0') {
    token ??= this.enrolmentToken ??= (await this.api('POST', '/tokens', { max_uses: 1000, tags: ['fleet'] })).token;
    const answer = await this.ask(
      'POST',
      '/api/agent/enroll',
      { token, hostname, os: 'linux', arch: 'amd64', agent_version: version, machine_id: `machine-${hostname}` },
      {},
    );
    const agent = { id: answer.data.agent_id, key: answer.data.agent_key, hostname };
    this.agents.push(agent);
    return agent;
  }
  asAgent(agent, method, path, body) {
    return this.ask(method, `/api/agent${path}`, body, {
      'X-Agent-Key': agent.key,
      'X-Agent-ID': agent.id,
      'X-Request-Timestamp': new Date().toISOString(),
    });
  }
  beat(agent, load = 12) {
    return this.asAgent(agent, 'POST', '/heartbeat', {
      timestamp: new Date().toISOString(),
      status: 'idle',
      agent_version: '1.0.0',
      system: {
        hostname: agent.hostname, os: 'linux', arch: 'amd64', uptime_seconds: 86400 * 9, cpu_percent: load, memory_mb: 2048 + load * 10,
        total_memory_mb: 8192, disk_free_mb: 40000 - load, process_cpu_percent: 0.4, process_memory_mb: 31,
      },
    });
  }
  report(agent, software, address = '10.20.0.1', more = {}) {
    return this.asAgent(agent, 'POST', '/report', {
      hostname: agent.hostname,
      machine_id: `machine-${agent.hostname}`,
      os: { name: 'Debian GNU/Linux', version: '12 (bookworm)', kernel: '6.1.0-28-amd64' },
      ip_address: address,
      software,
      ...more,
    });
  }
  /** Takes the agent's next task and sends a result for it. */
  async work(agent, result) {
    const polled = await this.asAgent(agent, 'GET', '/tasks');
    if (!polled) return undefined;
    await this.asAgent(agent, 'POST', `/tasks/${polled.data.id}/result`, { exit_code: 0, hostname: agent.hostname, ...result });
    return polled.data;
  }

  async seedFeeds() {
    await this.api('POST', '/feeds/debian', trackerOf());
    await this.api('POST', '/feeds/osv', osvRecord);
    await this.api('POST', '/feeds/kev', exploited());
    await this.api('POST', '/feeds/epss', likelihoods());
  }
  async blob(content, org = '') {
    const headers = { Authorization: `Bearer ${this.token}` };
    return (await (await fetch(`${this.url}/api/v1/blobs${org}`, { method: 'POST', headers, body: content })).json()).sha256;
  }
  /** Gives the test to `agents`, each of which finds what `ends` says; the ids of their tasks. */
  async runTest(agents, ends) {
    const { task_ids } = await this.api('POST', '/tasks', {
      type: 'execute_test', agent_ids: agents.map((agent) => agent.id), test_uuid: hygiene.uuid, test_name: hygiene.name, binary_name: hygiene.file,
    });
    for (const [index, agent] of agents.entries()) {
      const found = bundleOf(ends[index]);
      const stdout = `${found.passed_controls} of ${found.total_controls} controls hold\n`;
      await this.work(agent, { stdout, exit_code: found.overall_exit_code, test_uuid: hygiene.uuid, execution_duration_ms: 1840 + index * 212, bundle_results: found });
    }
    return task_ids;
  }
  /** Feeds, `count` hosts of a few kinds, an image, a key, a release, finished and waiting work. */
  async seed(count) {
    await this.seedFeeds();
    const tokens = [];
    for (const kind of kinds) tokens.push((await this.api('POST', '/tokens', { max_uses: 1000, tags: kind.tags })).token);
    for (let number = 1; number <= count; ++number) {
      const kind = kinds[number % kinds.length];
      const agent = await this.enrol(`${kind.name}-${String(number).padStart(3, '0')}`, tokens[number % kinds.length]);
      await this.beat(agent, 4 + ((number * 7) % 53));
      await this.report(agent, kind.software, `10.20.${number % kinds.length}.${number % 250}`);
    }
    const key = (await this.api('POST', '/keys', { name: 'site-berlin' })).key;
    await this.ask('POST', '/api/agent/report', { hostname: 'docker-1', machine_id: 'machine-docker-1', software: [] }, { 'X-Agent-Key': key });
    await this.ask('POST', '/api/agent/container-scan?hostname=docker-1', trivyReport, { 'X-Agent-Key': key });
    const sha256 = await this.blob('the program of agents', '?org=0');
    await this.api('POST', '/releases', { version: '1.1.0', os: 'linux', arch: 'amd64', sha256, notes: 'Quieter heartbeats.' });
    await this.api('POST', '/binaries', { test_uuid: hygiene.uuid, name: hygiene.file, sha256: await this.blob('the program of the test') });
    await this.runTest(this.agents.slice(0, firstRun.length), firstRun);
    await this.runTest(this.agents.slice(0, secondRun.length), secondRun);
    const ids = this.agents.slice(0, 4).map((agent) => agent.id);
    await this.api('POST', '/tasks', { type: 'execute_command', agent_ids: ids, command: 'systemctl is-active ssh' });
    for (const agent of this.agents.slice(0, 3)) await this.work(agent, { stdout: 'active\n', execution_duration_ms: 41 });
    const held = this.agents.at(-1);
    await this.report(held, [kinds[0].software[0]]);
  }

  /** A host of each kind, and copies of them in the store until there are `count`; what the copying said. */
  async seedFleet(count, within) {
    await this.seedFeeds();
    for (const kind of kinds) {
      const { token } = await this.api('POST', '/tokens', { max_uses: count, tags: kind.tags });
      const agent = await this.enrol(`${kind.name}-model`, token);
      await this.beat(agent);
      await this.report(agent, kind.software.slice(-8));
    }
    await this.stopServer();
    const copied = spawnSync('python3', [join(root, 'tests/console/fleet.py'), join(this.data, 'muster.db'), String(count)], { timeout: within * 1000, encoding: 'utf8' });
    await this.startServer();
    if (copied.status !== 0) throw new Error(`fleet.py: ${copied.error ?? copied.stderr}`);
    return JSON.parse(copied.stdout);
  }

  // --- The browser --------------------------------------------------------------------------------
  async link(token = this.token) {
    const headers = { Authorization: `Bearer ${token}` };
    return (await this.ask('POST', '/api/v1/console/links', {}, headers)).url;
  }
  async operator(role, name = role) {
    return (await this.api('POST', '/operators', { name, role })).token;
  }
  /** The files of another build, under the server's own headers. */
  async serveConsole(context) {
    const { headers } = await fetch(this.url);
    const policy = headers.get('content-security-policy');
    await context.route(/^[^?#]*\/\/[^/]+\/(?!api\/)/, async (route) => {
      const { pathname } = new URL(route.request().url());
      const file = join(otherConsole, /\.\w+$/.test(pathname) ? pathname : 'index.html');
      await route.fulfill({ path: file, headers: { 'content-security-policy': policy, 'content-type': typeOf(file) } });
    });
  }
  /** A page that is signed in, with whatever it complained about in `page.complaints`. */
  async page({ token = this.token, width = 1280, height = 860, colorScheme = 'light' } = {}) {
    // Debian's Chromium does not start as root inside its own sandbox.
    this.browser ??= await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox', '--disable-gpu'] });
    const context = await this.browser.newContext({ viewport: { width, height }, colorScheme, reducedMotion: 'reduce' });
    // A machine that does other things too is slow, not wrong.
    context.setDefaultTimeout(60_000);
    if (otherConsole) await this.serveConsole(context);
    const page = await context.newPage();
    page.complaints = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') page.complaints.push(message.text());
    });
    page.on('pageerror', (failure) => page.complaints.push(String(failure)));
    page.underWay = new Set();
    page.on('request', (request) => request.resourceType() !== 'eventsource' && page.underWay.add(request));
    for (const end of ['requestfinished', 'requestfailed']) page.on(end, (request) => page.underWay.delete(request));
    await page.goto(await this.link(token));
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    return page;
  }
}
