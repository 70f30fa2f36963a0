// SPDX-License-Identifier: Apache-2.0
// Queries that say which hosts are meant (docs/reference/query.md).

/** A value as a query takes it. */
export const quoted = (text: string): string => (/^[\w.-]+$/.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`);

/** The hosts that a query means, as a page. */
export const hostsOf = (query: string): string => `/hosts?query=${encodeURIComponent(query)}`;
