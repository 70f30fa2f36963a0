// SPDX-License-Identifier: Apache-2.0
// What the server says, as state: loaded when it is asked for, again when the page is looked at and every
// so often while it is. What is there stays on the screen until the next answer.
import { untrack } from 'svelte';
import { get, messageOf } from './api';
import type { Page, Total } from './types';

const refreshEvery = 30_000;
const freshFor = 15_000;

/** Calls `load` every so often while the page is visible, and when it becomes so. */
function whileVisible(load: () => void, age: () => number, every: () => number): () => void {
  let timer = 0;
  const plan = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      if (document.visibilityState === 'visible') load();
      plan();
    }, untrack(every));
  };
  const look = () => {
    if (document.visibilityState === 'visible' && age() >= freshFor) load();
  };
  document.addEventListener('visibilitychange', look);
  plan();
  return () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', look);
  };
}

export class Query<T> {
  data = $state.raw<T>();
  error = $state<string>('');
  loading = $state(true);
  private running?: AbortController;
  private loadedAt = 0;

  constructor(
    private readonly path: () => string | null,
    every: () => number,
    private readonly ask: (path: string, signal: AbortSignal) => Promise<T> = get,
  ) {
    $effect(() => {
      const path = this.path();
      this.data = undefined;
      this.error = '';
      if (path === null) {
        this.loading = false;
        return;
      }
      void this.load(path);
      const stop = whileVisible(() => void this.load(path), () => Date.now() - this.loadedAt, every);
      return () => {
        stop();
        this.running?.abort();
      };
    });
  }

  async refresh(): Promise<void> {
    const path = this.path();
    if (path !== null) await this.load(path);
  }

  private async load(path: string): Promise<void> {
    this.running?.abort();
    const running = (this.running = new AbortController());
    this.loading = true;
    try {
      const data = await this.ask(path, running.signal);
      if (running.signal.aborted) return;
      this.data = data;
      this.error = '';
      this.loadedAt = Date.now();
    } catch (failure) {
      if (running.signal.aborted) return;
      this.error = messageOf(failure);
    }
    this.loading = false;
  }
}

/** One object at `path`, which may depend on state; nothing is asked while it is null. */
export function query<T>(path: () => string | null, every: () => number = () => refreshEvery): Query<T> {
  return new Query<T>(path, every);
}
/** The same for what takes several calls: `ask` makes them for `name`. */
export function composed<T>(name: () => string | null, ask: (name: string, signal: AbortSignal) => Promise<T>, every: () => number): Query<T> {
  return new Query<T>(name, every, ask);
}

const pageSize = 100;
const largestPage = 1000;
/** Of one export, or of a run's controls: a browser holds them all at once. */
export const mostRows = 100_000;

/** Every item at `path`, page after page; `whole` is false when there are more than `most`. */
export async function everything<T>(
  path: string,
  signal?: AbortSignal,
  told: (items: number) => void = () => {},
  most: number = mostRows,
): Promise<{ items: T[]; whole: boolean }> {
  const mark = path.includes('?') ? '&' : '?';
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const at: string = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
    const page: Page<T> = await get<Page<T>>(`${path}${mark}limit=${largestPage}${at}`, signal);
    items.push(...page.items);
    cursor = page.next_cursor;
    told(items.length);
  } while (cursor !== null && items.length < most);
  return { items: items.slice(0, most), whole: cursor === null && items.length <= most };
}

/** What a table shows: a list of the server's, or one that is here already. */
export interface Listed<T> {
  readonly items: T[];
  readonly total: Total | undefined;
  readonly error: string;
  readonly loading: boolean;
  readonly loaded: boolean;
  readonly more: boolean;
  next(): Promise<void>;
  refresh(): Promise<void>;
  everything(signal: AbortSignal, told: (items: number) => void): Promise<{ items: T[]; whole: boolean }>;
}

/** A list that is here already, such as the software of a host. */
export class Here<T> implements Listed<T> {
  readonly error = '';
  readonly more = false;
  constructor(
    private readonly of: () => T[],
    private readonly ready: () => boolean = () => true,
  ) {}
  get items(): T[] {
    return this.of();
  }
  get total(): Total {
    return { value: this.items.length, relation: 'eq' };
  }
  get loaded(): boolean {
    return this.ready();
  }
  get loading(): boolean {
    return !this.ready();
  }
  async next(): Promise<void> {}
  async refresh(): Promise<void> {}
  async everything(): Promise<{ items: T[]; whole: boolean }> {
    return { items: this.items, whole: true };
  }
}

/** A list that is loaded page by page, as far as somebody scrolls. */
export class Pages<T> implements Listed<T> {
  items = $state.raw<T[]>([]);
  total = $state.raw<Total>();
  error = $state<string>('');
  loading = $state(true);
  loaded = $state(false);
  more = $state(false);
  private cursor: string | null = null;
  private running?: AbortController;
  private loadedAt = 0;

  constructor(
    private readonly path: () => string,
    private readonly size: number = pageSize,
  ) {
    $effect(() => {
      const path = this.path();
      this.items = [];
      this.loaded = false;
      this.error = '';
      this.total = undefined;
      void this.load(path, null);
      // Whoever has scrolled on is reading; the first page alone is replaced.
      const again = () => {
        if (this.items.length <= this.size) void this.load(path, null);
      };
      const stop = whileVisible(again, () => Date.now() - this.loadedAt, () => refreshEvery);
      return () => {
        stop();
        this.running?.abort();
      };
    });
  }

  async refresh(): Promise<void> {
    await this.load(this.path(), null);
  }
  async next(): Promise<void> {
    if (this.loading || !this.more || this.error) return;
    await this.load(this.path(), this.cursor);
  }
  everything(signal: AbortSignal, told: (items: number) => void) {
    return everything<T>(this.path(), signal, told);
  }

  private async load(path: string, cursor: string | null): Promise<void> {
    this.running?.abort();
    const running = (this.running = new AbortController());
    this.loading = true;
    const mark = path.includes('?') ? '&' : '?';
    const at = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
    try {
      const page = await get<Page<T>>(`${path}${mark}limit=${this.size}${at}`, running.signal);
      if (running.signal.aborted) return;
      this.items = cursor ? [...this.items, ...page.items] : page.items;
      this.cursor = page.next_cursor;
      this.more = page.next_cursor !== null;
      this.total = page.total;
      this.error = '';
      this.loaded = true;
      this.loadedAt = Date.now();
    } catch (failure) {
      if (running.signal.aborted) return;
      this.error = messageOf(failure);
    }
    this.loading = false;
  }
}

export function pages<T>(path: () => string, size?: number): Pages<T> {
  return new Pages<T>(path, size);
}
