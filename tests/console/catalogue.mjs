// SPDX-License-Identifier: Apache-2.0
// What the hosts of the tests have, what is known to be wrong with it, and the tests that they run. Flaws
// and their fixed versions are as published by Debian and GitHub; urgencies and likelihoods are made up.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const example = (name) => JSON.parse(readFileSync(fileURLToPath(new URL(`../../examples/feeds/${name}`, import.meta.url)), 'utf8'));

const debian = (name, version) => ({ name, version, vendor: 'Debian', ecosystem: 'deb', distro: 'debian:12' });
const listed = (text) => text.trim().split(/\s+/).map((each) => debian(...each.split('=')));
const base = listed(`
  adduser=3.134 apt=2.6.1 base-files=12.4+deb12u8 bash=5.2.15-2+b7 bsdutils=1:2.38.1-5+deb12u1 bzip2=1.0.8-5+b1
  ca-certificates=20230311 coreutils=9.1-1 cron=3.0pl1-162 dash=0.5.12-2 dbus=1.14.10-1~deb12u1 debconf=1.5.82 dpkg=1.21.22
  e2fsprogs=1.47.0-2 findutils=4.9.0-4 gawk=1:5.2.1-2 gnupg2=2.2.40-1.1 grep=3.8-5 gzip=1.12-1 hostname=3.23+nmu1 iproute2=6.1.0-3
  krb5=1.20.1-2+deb12u1 less=590-2.1~deb12u1 libcap2=1:2.66-4 libgcrypt20=1.10.1-3 lz4=1.9.4-1 mawk=1.3.4.20200120-3.1 nano=7.2-1+deb12u1
  ncurses=6.4-4 openssl=3.0.14-1~deb12u2 pam=1.5.2-6+deb12u1 perl=5.36.0-7+deb12u1 procps=2:4.0.2-3 readline=8.2-1.3 sed=4.9-1
  shadow=1:4.13+dfsg1-1+b1 systemd=252.31-1~deb12u1 tar=1.34+dfsg-1.2+deb12u1 tzdata=2024a-0+deb12u1 xz-utils=5.4.1-0.2 zlib=1:1.2.13.dfsg-1
`);
const common = [...base, debian('glibc', '2.36-9+deb12u8'), debian('openssh', '1:9.2p1-2+deb12u3'), debian('curl', '7.88.1-10+deb12u7')];
const lodash = { name: 'lodash', version: '4.17.20', ecosystem: 'npm' };
export const kinds = [
  { name: 'web', tags: ['production', 'dmz'], software: [...common, debian('libwebp', '1.2.4-0.2'), debian('nghttp2', '1.52.0-1'), debian('nginx', '1.22.1-9'), lodash] },
  { name: 'db', tags: ['production'], software: [...common, debian('postgresql-15', '15.8-0+deb12u1'), debian('util-linux', '2.38.1-5')] },
  { name: 'build', tags: ['staging'], software: [...base, debian('glibc', '2.36-9+deb12u1'), debian('openssh', '1:9.2p1-2+deb12u2'), debian('util-linux', '2.38.1-5'), lodash] },
  { name: 'desk', tags: ['office'], software: [...common, debian('libwebp', '1.2.4-0.2+deb12u1'), debian('cups', '2.4.2-3+deb12u8'), { name: 'Vendor Tool', version: '7.1', vendor: 'Acme' }] },
];

/** The example tracker, and some of the more urgent kind. */
export function trackerOf() {
  const tracker = example('debian-tracker.json');
  const add = (source, cve, fixed, urgency, description) => {
    (tracker[source] ??= {})[cve] = {
      description, scope: 'remote', releases: { bookworm: { status: 'resolved', repositories: { bookworm: fixed }, fixed_version: fixed, urgency } },
    };
  };
  for (const [source, cve] of [['libwebp', 'CVE-2023-4863'], ['glibc', 'CVE-2023-4911']]) tracker[source][cve].releases.bookworm.urgency = 'high';
  add('openssh', 'CVE-2024-6387', '1:9.2p1-2+deb12u3', 'high', 'A race in the signal handler of sshd lets somebody without an account run code as root.');
  add('nghttp2', 'CVE-2023-44487', '1.52.0-1+deb12u1', 'high', 'Streams that are opened and reset at once exhaust an HTTP/2 server.');
  add('postgresql-15', 'CVE-2024-10979', '15.9-0+deb12u1', 'high', 'PL/Perl functions may change environment variables of the server, and so run code.');
  add('krb5', 'CVE-2024-37371', '1.20.1-2+deb12u2', 'medium', 'Message tokens with invalid length fields make the library read beyond its memory.');
  add('less', 'CVE-2024-32487', '590-2.1~deb12u2', 'medium', 'A line feed in a file name lets the file run commands when it is looked at.');
  add('cups', 'CVE-2024-47175', '2.4.2-3+deb12u9', 'medium', 'Attributes of a printer are written unchecked into its description.');
  return tracker;
}
/** The example catalogue, as if it were published today. */
export function exploited() {
  const kev = example('known_exploited_vulnerabilities.json');
  const today = new Date().toISOString();
  const more = { vendorProject: 'IETF', product: 'HTTP/2', vulnerabilityName: 'HTTP/2 Rapid Reset Attack Vulnerability', dateAdded: '2023-10-10', shortDescription: 'Streams that are opened and reset at once exhaust a server.', requiredAction: 'Apply updates.', dueDate: '2023-10-31', knownRansomwareCampaignUse: 'Unknown', notes: '' };
  const vulnerabilities = [...kev.vulnerabilities, { cveID: 'CVE-2023-44487', ...more }];
  return { ...kev, count: vulnerabilities.length, vulnerabilities, catalogVersion: today.slice(0, 10).replaceAll('-', '.'), dateReleased: today };
}
export function likelihoods() {
  const of = {
    'CVE-2023-4863': [0.9408, 0.9989], 'CVE-2023-44487': [0.9443, 0.9997], 'CVE-2024-6387': [0.4612, 0.9758], 'CVE-2023-4911': [0.7713, 0.9895],
    'CVE-2024-10979': [0.0631, 0.9081], 'CVE-2024-37371': [0.0094, 0.7562], 'CVE-2024-32487': [0.0011, 0.2985], 'CVE-2024-28085': [0.0308, 0.8632],
    'CVE-2021-23337': [0.0093, 0.7549], 'CVE-2024-47175': [0.2207, 0.9561],
  };
  const lines = Object.entries(of).map(([cve, values]) => [cve, ...values].join(','));
  return `#model_version:v2025.03.14,score_date:${new Date().toISOString().slice(0, 10)}T00:00:00+0000\ncve,epss,percentile\n${lines.join('\n')}\n`;
}
export const osvRecord = {
  id: 'GHSA-35jh-r3h4-6jhm', modified: new Date().toISOString(), aliases: ['CVE-2021-23337'], summary: 'Command Injection in lodash',
  severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H' }], database_specific: { severity: 'HIGH' },
  affected: [{ package: { ecosystem: 'npm', name: 'lodash' }, ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '4.17.21' }] }] }],
};
export const trivyReport = {
  SchemaVersion: 2, ArtifactName: 'registry.example/shop:3.2', ArtifactType: 'container_image',
  Metadata: { ImageID: 'sha256:' + '5b1e0f3c9a7d4826'.repeat(4), OS: { Family: 'debian', Name: '12.5' }, RepoTags: ['registry.example/shop:3.2'], ImageConfig: { architecture: 'amd64', os: 'linux' } },
  Results: [{
    Target: 'registry.example/shop:3.2 (debian 12.5)', Class: 'os-pkgs', Type: 'debian',
    Vulnerabilities: [
      { VulnerabilityID: 'CVE-2023-4863', PkgName: 'libwebp7', InstalledVersion: '1.2.4-0.2', FixedVersion: '1.2.4-0.2+deb12u1', Severity: 'HIGH', Status: 'fixed', Title: 'Heap buffer overflow in WebP' },
      { VulnerabilityID: 'CVE-2023-45853', PkgName: 'zlib1g', InstalledVersion: '1:1.2.13.dfsg-1', Severity: 'CRITICAL', Status: 'will_not_fix', Title: 'Integer overflow and heap-based buffer overflow in MiniZip' },
    ],
  }],
};

// --- Tests ----------------------------------------------------------------------------------------
export const hygiene = { uuid: '7659eeba-f315-440e-9882-4aa015d68b27', name: 'Endpoint hygiene baseline', file: 'endpoint-hygiene.sh' };
const blocked = 126;
const failed = 101;
const control = (id, name, severity, techniques, tactics, expected, actual) => ({
  control_id: id, control_name: name, validator: 'endpoint-hygiene', severity, category: 'cyber-hygiene', subcategory: 'linux', techniques, tactics, expected, actual,
  exit_code: blocked, compliant: true, skipped: false, details: '', error_message: '',
});
const controls = [
  control('EH-01', 'Root cannot sign in over SSH with a password', 'high', ['T1110.001'], ['credential-access'], 'prohibit-password', 'prohibit-password'),
  control('EH-02', 'Sudo asks for a password', 'high', ['T1548.003'], ['privilege-escalation', 'defense-evasion'], 'no NOPASSWD rule', 'no NOPASSWD rule'),
  control('EH-03', 'The audit daemon runs', 'high', ['T1562.001'], ['defense-evasion'], 'active', 'active'),
  control('EH-04', 'Shell histories are kept', 'medium', ['T1070.003'], ['defense-evasion'], 'HISTSIZE above 0', 'HISTSIZE=1000'),
  control('EH-05', 'Temporary directories hold no programs that run', 'medium', ['T1059.004'], ['execution'], 'noexec', 'noexec'),
  control('EH-06', 'Only administrators write cron tables', 'medium', ['T1053.003'], ['execution', 'persistence'], 'root only', 'root only'),
  control('EH-07', 'No foreign unit files', 'medium', ['T1543.002'], ['persistence'], '0 units', '0 units'),
  control('EH-08', 'No kernel modules may be loaded', 'high', ['T1547.006'], ['persistence', 'privilege-escalation'], '1', '1'),
  control('EH-09', 'Password hashes are not readable', 'critical', ['T1003.008'], ['credential-access'], '0640 root:shadow', '0640 root:shadow'),
  control('EH-10', 'The firewall drops what it does not know', 'high', ['T1571', 'T1046'], ['command-and-control', 'discovery'], 'policy drop', 'policy drop'),
  control('EH-11', 'SSH agents are not forwarded', 'low', ['T1563.001'], ['lateral-movement'], 'no', 'no'),
  control('EH-12', 'Backups cannot be deleted from here', 'high', ['T1490'], ['impact'], 'append only', 'append only'),
  control('EH-13', 'DNS goes to the resolver of the site', 'medium', ['T1071.004'], ['command-and-control'], '10.20.0.53', '10.20.0.53'),
  control('EH-14', 'The time comes from the site', 'low', [], [], '10.20.0.123', '10.20.0.123'),
];
/** A bundle in which each named control ended otherwise: `failed`, `error`, `skipped` or `gone`. */
export function bundleOf(otherwise = {}) {
  const ended = controls.flatMap((each) => {
    switch (otherwise[each.control_id]) {
      case 'gone': return [];
      case 'failed': return [{ ...each, exit_code: failed, compliant: false, actual: 'not as expected' }];
      case 'error': return [{ ...each, exit_code: 999, compliant: false, actual: '', error_message: 'permission denied' }];
      case 'skipped': return [{ ...each, exit_code: 0, compliant: false, skipped: true, actual: '', details: 'not on this system' }];
      default: return [each];
    }
  });
  const bad = ended.filter((each) => !each.compliant && !each.skipped).length;
  return {
    schema_version: '1.0', bundle_id: hygiene.uuid, bundle_name: hygiene.name, bundle_category: 'cyber-hygiene', bundle_subcategory: 'linux', execution_id: 'run',
    started_at: new Date().toISOString(), completed_at: new Date().toISOString(), overall_exit_code: ended.some((each) => each.exit_code === failed) ? failed : blocked,
    total_controls: ended.length, passed_controls: ended.filter((each) => each.compliant).length, failed_controls: bad, controls: ended,
  };
}
/** How the baseline ended on the hosts of a batch: first, and when it was run again. */
export const firstRun = [
  { 'EH-03': 'failed', 'EH-10': 'failed', 'EH-13': 'gone' }, { 'EH-05': 'failed', 'EH-07': 'error', 'EH-13': 'gone' },
  { 'EH-03': 'failed', 'EH-12': 'failed', 'EH-13': 'gone' }, { 'EH-04': 'failed', 'EH-11': 'skipped', 'EH-13': 'gone' },
];
export const secondRun = [
  { 'EH-10': 'failed', 'EH-05': 'failed', 'EH-14': 'gone' }, { 'EH-05': 'failed', 'EH-02': 'failed', 'EH-14': 'gone' },
  { 'EH-12': 'failed', 'EH-05': 'failed', 'EH-14': 'gone' }, { 'EH-11': 'skipped', 'EH-05': 'failed', 'EH-01': 'error', 'EH-14': 'gone' },
];
