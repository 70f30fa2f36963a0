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
      const data = await get<T>(path, running.signal);
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

const pageSize = 100;

/** A list that is loaded page by page, as far as somebody scrolls. */
export class Pages<T> {
  items = $state.raw<T[]>([]);
  total = $state.raw<Total>();
  error = $state<string>('');
  loading = $state(true);
  loaded = $state(false);
  more = $state(false);
  private cursor: string | null = null;
  private running?: AbortController;
  private loadedAt = 0;

  constructor(private readonly path: () => string) {
    $effect(() => {
      const path = this.path();
      this.items = [];
      this.loaded = false;
      this.error = '';
      this.total = undefined;
      void this.load(path, null);
      // Whoever has scrolled on is reading; the first page alone is replaced.
      const again = () => {
        if (this.items.length <= pageSize) void this.load(path, null);
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

  private async load(path: string, cursor: string | null): Promise<void> {
    this.running?.abort();
    const running = (this.running = new AbortController());
    this.loading = true;
    const mark = path.includes('?') ? '&' : '?';
    const at = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
    try {
      const page = await get<Page<T>>(`${path}${mark}limit=${pageSize}${at}`, running.signal);
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

export function pages<T>(path: () => string): Pages<T> {
  return new Pages<T>(path);
}
