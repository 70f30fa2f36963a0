// SPDX-License-Identifier: Apache-2.0
// Lists as files. A spreadsheet must show what a host is called, never compute it.

/** One cell (RFC 4180). What a spreadsheet would take for a formula gets an apostrophe (OWASP, CSV Injection). */
export function csvCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = String(value);
  const guarded = /^[\s\0]*[=+\-@＝＋－＠|%]|^[\t\r\n]/u.test(text) ? `'${text}` : text;
  return `"${guarded.replaceAll('"', '""')}"`;
}

/** An object as one row: members of members as `a.b`, lists joined. */
export function flatten(item: object, prefix = ''): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(item)) {
    if (Array.isArray(value)) {
      row[prefix + name] = value.map((each) => (typeof each === 'object' ? JSON.stringify(each) : String(each))).join('; ');
    } else if (value !== null && typeof value === 'object') Object.assign(row, flatten(value, `${prefix + name}.`));
    else row[prefix + name] = value;
  }
  return row;
}

export function csvOf(items: object[]): string {
  const rows = items.map((item) => flatten(item));
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [names.map(csvCell).join(','), ...rows.map((row) => names.map((name) => csvCell(row[name])).join(','))];
  // The mark of UTF-8, without which spreadsheets guess.
  return `\uFEFF${lines.join('\r\n')}\r\n`;
}

/** Gives the browser a file to keep. */
export function download(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  Object.assign(link, { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
