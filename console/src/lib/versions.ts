// SPDX-License-Identifier: Apache-2.0
// The order of agents' versions, by the rules by which the server offers releases (compare_agent_versions in
// src/model/release.cpp): numbers between dots, then prereleases as Semantic Versioning 2.0.0 §11.4 has them.

interface Version { numbers: string[]; prerelease?: string[] }

function versionOf(text: string): Version {
  const plain = text.replace(/^[vV]/, '');
  const release = /^\d+(?:\.\d+)*/.exec(plain)?.[0] ?? '';
  const [rest = ''] = plain.slice(release.length).split('+');
  // Also without its hyphen where a letter follows the numbers: 1.21rc2, 1.0.0.beta.
  const prerelease = /^-(.*)$/s.exec(rest)?.[1] ?? /^\.?([A-Za-z].*)$/s.exec(rest)?.[1];
  const identifiers = prerelease?.replace(/\.$/, '');
  return { numbers: release ? release.split('.') : [], prerelease: identifiers === '' ? [] : identifiers?.split('.') };
}

/** Numbers of any length. */
function compareDigits(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}

function compareIdentifiers(a: string, b: string): number {
  const [left, right] = [/^\d*$/.test(a), /^\d*$/.test(b)];
  if (left && right) return compareDigits(a, b);
  if (left !== right) return left ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Part by part; fewer before more. */
function compareParts(a: string[], b: string[], compare: (a: string, b: string) => number): number {
  for (let at = 0; at < Math.min(a.length, b.length); ++at) {
    const order = compare(a[at] ?? '', b[at] ?? '');
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Below 0 when `a` comes before `b`, above 0 when after, 0 when the server takes them for the same. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [versionOf(a), versionOf(b)];
  const order = compareParts(left.numbers, right.numbers, compareDigits);
  if (order !== 0) return order;
  if (!left.prerelease || !right.prerelease) return Number(left.prerelease === undefined) - Number(right.prerelease === undefined);
  return compareParts(left.prerelease, right.prerelease, compareIdentifiers);
}
