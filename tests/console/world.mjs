// SPDX-License-Identifier: Apache-2.0
// A musterd of its own with a fleet in it, all through the real APIs, and a browser in front of it.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('../..', import.meta.url));
const binaries = process.env.MUSTER_BIN ?? join(root, 'build/release/bin');
const browserPath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Starts musterd on a port of its own choice; it ends with stop(). */
async function startServer(data) {
  const server = spawn(join(binaries, 'musterd'), ['--data', data, '--listen', '127.0.0.1:0'], {
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
  return { port, stop, lines };
}

export class World {
  static async start() {
    const world = new World();
    world.data = mkdtempSync(join(tmpdir(), 'muster-console-'));
    const { port, stop, lines } = await startServer(world.data);
    world.url = `http://127.0.0.1:${port}`;
    world.stopServer = stop;
    world.lines = lines;
    world.token = readFileSync(join(world.data, 'admin.token'), 'utf8').trim();
    world.agents = [];
    return world;
  }
  async stop() {
    await this.browser?.close();
    await this.stopServer();
    rmSync(this.data, { recursive: true });
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
  async enrol(hostname) {
    this.enrolmentToken ??= (await this.api('POST', '/tokens', { max_uses: 1000, tags: ['fleet'] })).token;
    const answer = await this.ask(
      'POST',
      '/api/agent/enroll',
      { token: this.enrolmentToken, hostname, os: 'linux', arch: 'amd64', agent_version: '1.0.0', machine_id: `machine-${hostname}` },
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
  report(agent, software) {
    return this.asAgent(agent, 'POST', '/report', {
      hostname: agent.hostname,
      machine_id: `machine-${agent.hostname}`,
      os: { name: 'Debian GNU/Linux', version: '12 (bookworm)', kernel: '6.1.0-28-amd64' },
      ip_address: '10.0.0.1',
      software,
    });
  }
  /** Takes the agent's next task and sends a result for it. */
  async work(agent, result) {
    const polled = await this.asAgent(agent, 'GET', '/tasks');
    if (!polled) return undefined;
    await this.asAgent(agent, 'POST', `/tasks/${polled.data.id}/result`, { exit_code: 0, hostname: agent.hostname, ...result });
    return polled.data;
  }

  /** Feeds, `count` hosts of a few kinds, an image, a key, a release, finished and waiting work. */
  async seed(count) {
    await this.api('POST', '/feeds/debian', trackerOf());
    await this.api('POST', '/feeds/osv', osvRecord);
    await this.api('POST', '/feeds/kev', catalogue());
    for (let number = 1; number <= count; ++number) {
      const kind = kinds[number % kinds.length];
      const agent = await this.enrol(`${kind.name}-${String(number).padStart(3, '0')}`);
      await this.beat(agent, number % 60);
      await this.report(agent, kind.software);
    }
    const key = (await this.api('POST', '/keys', { name: 'site-berlin' })).key;
    await this.ask('POST', '/api/agent/report', { hostname: 'docker-1', machine_id: 'machine-docker-1', software: [] }, { 'X-Agent-Key': key });
    await this.ask('POST', '/api/agent/container-scan?hostname=docker-1', trivyReport, { 'X-Agent-Key': key });
    const blob = await fetch(`${this.url}/api/v1/blobs?org=0`, { method: 'POST', headers: { Authorization: `Bearer ${this.token}` }, body: 'the program of agents' });
    const { sha256 } = await blob.json();
    await this.api('POST', '/releases', { version: '1.1.0', os: 'linux', arch: 'amd64', sha256, notes: 'Quieter heartbeats.' });
    const ids = this.agents.slice(0, 4).map((agent) => agent.id);
    await this.api('POST', '/tasks', { type: 'execute_command', agent_ids: ids, command: 'systemctl is-active ssh' });
    for (const agent of this.agents.slice(0, 3)) await this.work(agent, { stdout: 'active\n', execution_duration_ms: 41 });
    const held = this.agents.at(-1);
    await this.report(held, [kinds[0].software[0]]);
  }

  // --- The browser --------------------------------------------------------------------------------
  async link(token = this.token) {
    const headers = { Authorization: `Bearer ${token}` };
    return (await this.ask('POST', '/api/v1/console/links', {}, headers)).url;
  }
  async operator(role) {
    return (await this.api('POST', '/operators', { name: role, role })).token;
  }
  /** A page that is signed in, with whatever it complained about in `page.complaints`. */
  async page({ token = this.token, width = 1280, height = 860, colorScheme = 'light' } = {}) {
    // Debian's Chromium does not start as root inside its own sandbox.
    this.browser ??= await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox', '--disable-gpu'] });
    const context = await this.browser.newContext({ viewport: { width, height }, colorScheme, reducedMotion: 'reduce' });
    const page = await context.newPage();
    page.complaints = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') page.complaints.push(message.text());
    });
    page.on('pageerror', (failure) => page.complaints.push(String(failure)));
    await page.goto(await this.link(token));
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    return page;
  }
}

// --- What hosts have -----------------------------------------------------------------------------
const debian = (name, version) => ({ name, version, vendor: 'Debian', ecosystem: 'deb', distro: 'debian:12' });
const common = [
  debian('tar', '1.34+dfsg-1.2+deb12u1'), debian('coreutils', '9.1-1'), debian('systemd', '252.31-1~deb12u1'),
  debian('bash', '5.2.15-2+b7'), debian('perl', '5.36.0-7+deb12u1'), debian('zlib', '1:1.2.13.dfsg-1'), debian('apt', '2.6.1'),
];
const kinds = [
  { name: 'web', software: [...common, debian('libwebp', '1.2.4-0.2'), debian('examplehttpd', '2.4.57-1'), { name: 'lodash', version: '4.17.20', ecosystem: 'npm' }] },
  { name: 'db', software: [...common, debian('exampledb', '15.3-0'), debian('util-linux', '2.38.1-5')] },
  { name: 'build', software: [...common, debian('util-linux', '2.38.1-5'), { name: 'lodash', version: '4.17.20', ecosystem: 'npm' }] },
  { name: 'desk', software: [...common, debian('libwebp', '1.2.4-0.2+deb12u1'), { name: 'Vendor Tool', version: '7.1', vendor: 'Acme' }] },
];

/** The example tracker, and some of the more urgent kind. */
function trackerOf() {
  const tracker = JSON.parse(readFileSync(join(root, 'examples/feeds/debian-tracker.json'), 'utf8'));
  const flaw = (fixed, urgency, description) => ({
    description, scope: 'remote',
    releases: { bookworm: { status: 'resolved', repositories: { bookworm: fixed }, fixed_version: fixed, urgency } },
  });
  tracker.examplehttpd = {
    'CVE-2099-1001': flaw('2.4.62-1', 'high', 'A request may read beyond its buffer.'),
    'CVE-2099-1002': flaw('2.4.62-1', 'medium', 'A header may be smuggled.'),
  };
  tracker.exampledb = { 'CVE-2099-2001': flaw('15.9-0', 'high', 'A query may write files as the server.') };
  return tracker;
}
/** The example catalogue, as if it were published today. */
function catalogue() {
  const kev = JSON.parse(readFileSync(join(root, 'examples/feeds/known_exploited_vulnerabilities.json'), 'utf8'));
  const today = new Date().toISOString();
  return { ...kev, catalogVersion: today.slice(0, 10).replaceAll('-', '.'), dateReleased: today };
}
const osvRecord = {
  id: 'GHSA-aaaa-bbbb-cccc', modified: new Date().toISOString(), aliases: ['CVE-2099-3001'], summary: 'Prototype pollution',
  severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }], database_specific: { severity: 'CRITICAL' },
  affected: [{ package: { ecosystem: 'npm', name: 'lodash' }, ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '4.17.21' }] }] }],
};
const trivyReport = {
  SchemaVersion: 2, ArtifactName: 'registry.example/shop:3.2', ArtifactType: 'container_image',
  Metadata: { ImageID: 'sha256:' + 'a'.repeat(64), OS: { Family: 'debian', Name: '12.5' }, RepoTags: ['registry.example/shop:3.2'], ImageConfig: { architecture: 'amd64', os: 'linux' } },
  Results: [{
    Target: 'registry.example/shop:3.2 (debian 12.5)', Class: 'os-pkgs', Type: 'debian',
    Vulnerabilities: [
      { VulnerabilityID: 'CVE-2023-4863', PkgName: 'libwebp7', InstalledVersion: '1.2.4-0.2', FixedVersion: '1.2.4-0.2+deb12u1', Severity: 'HIGH', Status: 'fixed', Title: 'Heap buffer overflow in WebP' },
      { VulnerabilityID: 'CVE-2099-4001', PkgName: 'libexample', InstalledVersion: '1.0', Severity: 'CRITICAL', Status: 'affected', Title: 'Out-of-bounds write' },
    ],
  }],
};
