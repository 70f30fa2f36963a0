// SPDX-License-Identifier: Apache-2.0
import type { Total } from './types';

const numbers = new Intl.NumberFormat('en');
export const count = (value: number): string => numbers.format(value);
/** A count is exact, or says that it is not. */
export const total = (of: Total | undefined): string =>
  of ? (of.relation === 'gte' ? 'at least ' : '') + count(of.value) : '';
/** The same where there is little room. */
export const shortTotal = (of: Total | undefined): string =>
  of ? (of.relation === 'gte' ? '≥ ' : '') + count(of.value) : '';
export function plural(of: number | Total, one: string, many = one + 's'): string {
  const [value, text] = typeof of === 'number' ? [of, count(of)] : [of.value, total(of)];
  return `${text} ${value === 1 ? one : many}`;
}

/** "3 min ago", "in 2 days". */
export function relative(iso: string, now: number): string {
  const seconds = Math.round((Date.parse(iso) - now) / 1000);
  const size = Math.abs(seconds);
  const text = duration(size);
  if (size < 5) return 'now';
  return seconds < 0 ? `${text} ago` : `in ${text}`;
}

export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`;
  const days = Math.round(seconds / 86400);
  return days < 90 ? plural(days, 'day') : `${Math.round(days / 30.4)} months`;
}

export function bytes(size: number): string {
  if (size < 1024) return `${size} B`;
  if (size < 1024 ** 2) return `${(size / 1024).toFixed(1)} KiB`;
  if (size < 1024 ** 3) return `${(size / 1024 ** 2).toFixed(1)} MiB`;
  return `${(size / 1024 ** 3).toFixed(1)} GiB`;
}

/** "came_online" as people write it. */
export const words = (code: string): string => code.replaceAll('_', ' ');

/** Details of an event or audit row in one line. */
export function details(of: Record<string, unknown>): string {
  return Object.entries(of)
    .map(([name, value]) => `${words(name)}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(' · ');
}
