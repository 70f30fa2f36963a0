// SPDX-License-Identifier: Apache-2.0
// What a query may ask of a host: the words of src/model/host_fields.def, to which tests/console holds them.

/** In the order of what is asked most; `what` completes "Hosts ...". */
export const hostFields: { word: string; example: string; what: string }[] = [
  { word: 'hostname', example: 'hostname:web-*', what: 'of that name; a word alone is part of it' },
  { word: 'os', example: 'os:linux', what: "with that system: its agent's, or the name it reports" },
  { word: 'tag', example: 'tag:production', what: 'with that tag' },
  { word: 'group', example: 'group:"Web servers"', what: 'in that group' },
  { word: 'status', example: 'status:offline', what: 'that are online, offline or unknown' },
  { word: 'last_seen', example: 'last_seen>7d', what: 'not heard of for so long: s, m, h, d or w' },
  { word: 'package', example: 'package:openssl<3.0.11', what: 'that have such a package' },
  { word: 'cve', example: 'cve:CVE-2023-4863', what: 'with an open finding of it' },
  { word: 'severity', example: 'severity>=high', what: 'with an open finding as severe' },
  { word: 'kev', example: 'kev:true', what: 'with one that is known to be exploited' },
  { word: 'agent.version', example: 'agent.version<2.1', what: 'whose agent is older' },
  { word: 'agent', example: 'agent:none', what: 'whose agent is active, disabled or none' },
  { word: 'distro', example: 'distro:debian:12', what: 'of that distribution and release' },
  { word: 'os.version', example: 'os.version:10.0*', what: 'with that version of its system' },
  { word: 'os.kernel', example: 'os.kernel:6.1*', what: 'with that kernel' },
  { word: 'arch', example: 'arch:arm64', what: 'of that architecture' },
  { word: 'ip', example: 'ip:10.20.*', what: 'with that address' },
  { word: 'packages', example: 'packages>1000', what: 'with so many packages' },
  { word: 'last_report', example: 'last_report>2d', what: 'that told of their software so long ago, or never' },
  { word: 'first_seen', example: 'first_seen<1d', what: 'that came within the last day' },
  { word: 'id', example: 'id:118260307157186', what: 'with that id' },
];
