// SPDX-License-Identifier: Apache-2.0
// Where others publish what a finding is about. Nothing is fetched from there: people follow the link.

/** The page of an advisory by who says it and what it is called; none where no public page is known. */
export function pageOfAdvisory(feed: string, advisory: string): string | undefined {
  const id = encodeURIComponent(advisory);
  if (feed === 'debian' && /^CVE-/.test(advisory)) return `https://security-tracker.debian.org/tracker/${id}`;
  if (/^CVE-/.test(advisory)) return `https://nvd.nist.gov/vuln/detail/${id}`;
  if (/^GHSA-/.test(advisory)) return `https://github.com/advisories/${id}`;
  return feed === 'osv' ? `https://osv.dev/vulnerability/${id}` : undefined;
}
