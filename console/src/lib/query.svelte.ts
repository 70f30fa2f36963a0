// SPDX-License-Identifier: Apache-2.0
// What the server says, as state: loaded when it is asked for, again when the server says that it changed, and
// every so often while the page is looked at: seldom where word comes of changes, else more often. What is there
// stays on the screen until the next answer, and beyond it if that says the same.
import { untrack } from 'svelte';
import { get, messageOf } from './api';
import { live, topicsOf, type Topic, type Word } from './live.svelte';
import { placeWanted } from './router.svelte';
import { clock } from './session.svelte';
import type { Page, Total } from './types';

const refreshEvery = 30_000;
const freshFor = 15_000;
// What changes without a word, such as when a host was last heard of.
const refreshLive = 60_000;
// Word of a change comes within two seconds of it, and reaches back so far when the stream begins.
const told = 4_000;
// A page that is dear to answer is asked for a tenth of the time at most, however much changes.
const restAfter = 9;
const restLeast = 1_000;
const restMost = 30_000;

/** Somebody is writing, choosing, or asked to confirm: nothing may move under their hands. */
function isBusy(): boolean {
  return document.querySelector('dialog[open], [role=menu]') !== null || (document.activeElement?.closest('main form, main [contenteditable]') ?? null) !== null;
}

/** Loads again what has been loaded once: when the server says that one of `topics` changed, when the page
 *  becomes visible, and every so often. One load at a time, and never in the background of a hidden page. */
class Refresher {
  private timer = 0;
  private changed = false;
  private running = false;
  private askedAt = Date.now();
  private restUntil = 0;
  private readonly quiet: () => void;

  constructor(
    private readonly load: () => Promise<void>,
    private readonly topics: readonly Topic[],
    private readonly every: () => number,
  ) {
    document.addEventListener('visibilitychange', this.look);
    this.quiet = live.listen((word) => this.hear(word));
    this.plan();
  }
  stop() {
    clearTimeout(this.timer);
    document.removeEventListener('visibilitychange', this.look);
    this.quiet();
  }
  /** A load began, whoever asked for it. */
  began() {
    this.askedAt = Date.now();
    this.running = true;
    this.changed = false;
  }
  /** One that it asked for was given up for another, which may bring something else. */
  missed() {
    this.changed = true;
  }
  ended() {
    const now = Date.now();
    // What the answer tells of is not to come.
    clock.now = now;
    this.running = false;
    this.restUntil = now + Math.min(restMost, Math.max(restLeast, restAfter * (now - this.askedAt)));
    this.plan();
  }

  private hear(word: Word) {
    if (word === 'begins') this.changed ||= this.topics.length > 0 && Date.now() - this.askedAt > told;
    else if (word !== 'gone') this.changed ||= this.topics.some((topic) => word.has(topic));
    this.plan();
  }
  private readonly look = () => {
    if (document.visibilityState === 'visible' && Date.now() - this.askedAt >= freshFor) this.changed = true;
    this.plan();
  };
  private plan() {
    clearTimeout(this.timer);
    if (this.running) return;
    const asked = untrack(this.every);
    const within = live.on && this.topics.length > 0 ? Math.max(refreshLive, asked) : asked;
    const at = this.changed ? Math.max(Date.now(), this.restUntil) : this.askedAt + within;
    this.timer = window.setTimeout(() => this.fire(), Math.max(0, at - Date.now()));
  }
  private fire() {
    // look() comes back to it.
    if (document.visibilityState !== 'visible') return;
    if (isBusy()) {
      this.timer = window.setTimeout(() => this.fire(), restLeast);
      return;
    }
    void this.load();
  }
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

export class Query<T> {
  data = $state.raw<T>();
  error = $state<string>('');
  loading = $state(true);
  private running?: AbortController;
  private refresher?: Refresher;

  constructor(
    private readonly path: () => string | null,
    every: () => number,
    private readonly ask: (path: string, signal: AbortSignal) => Promise<T> = get,
    topics: (path: string) => readonly Topic[] = topicsOf,
  ) {
    // What the path is made of may change without it.
    const named = $derived(this.path());
    $effect(() => {
      const path = named;
      this.data = undefined;
      this.error = '';
      if (path === null) {
        this.loading = false;
        return;
      }
      const refresher = untrack(() => new Refresher(() => this.load(path, true), topics(path), every));
      this.refresher = refresher;
      untrack(() => void this.load(path));
      return () => {
        refresher.stop();
        this.running?.abort();
      };
    });
  }

  async refresh(): Promise<void> {
    const path = this.path();
    if (path !== null) await this.load(path);
  }

  /** `quietly`: nobody asked for it, and nobody need see that it happens. */
  private async load(path: string, quietly = false): Promise<void> {
    this.running?.abort();
    const running = (this.running = new AbortController());
    const refresher = this.refresher;
    refresher?.began();
    if (!quietly) this.loading = true;
    try {
      const data = await this.ask(path, running.signal);
      if (running.signal.aborted) return quietly ? refresher?.missed() : undefined;
      if (!quietly || !same(data, this.data)) this.data = data;
      this.error = '';
    } catch (failure) {
      if (running.signal.aborted) return quietly ? refresher?.missed() : undefined;
      this.error = messageOf(failure);
    }
    this.loading = false;
    refresher?.ended();
  }
}

/** One object at `path`, which may depend on state; nothing is asked while it is null. */
export function query<T>(path: () => string | null, every: () => number = () => refreshEvery): Query<T> {
  return new Query<T>(path, every);
}
/** The same for what takes several calls: `ask` makes them for `name`, and again when one of `topics` changes. */
export function composed<T>(
  name: () => string | null,
  ask: (name: string, signal: AbortSignal) => Promise<T>,
  every: () => number,
  topics: readonly Topic[] = [],
): Query<T> {
  return new Query<T>(name, every, ask, () => topics);
}

const pageSize = 100;
const largestPage = 1000;
const leastRow = 38; // pixels: Table.svelte
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
  /** Of findings: those that a least severity or EPSS leaves out because theirs is unknown. */
  unknownNotShown = $state.raw<Total>();
  error = $state<string>('');
  loading = $state(true);
  loaded = $state(false);
  more = $state(false);
  private cursor: string | null = null;
  private running?: AbortController;
  private refresher?: Refresher;

  constructor(
    private readonly path: () => string,
    private readonly size: number = pageSize,
  ) {
    const named = $derived(this.path());
    $effect(() => {
      const path = named;
      this.items = [];
      this.loaded = false;
      this.error = '';
      this.total = undefined;
      this.unknownNotShown = undefined;
      const refresher = untrack(() => new Refresher(() => this.again(path), topicsOf(path), () => refreshEvery));
      this.refresher = refresher;
      // Whoever comes back to the middle of a list finds it as long as that.
      const back = Math.ceil((placeWanted() + innerHeight) / leastRow);
      const size = placeWanted() > 0 ? Math.min(largestPage, Math.max(this.size, back)) : this.size;
      untrack(() => void this.load(path, null, size));
      return () => {
        refresher.stop();
        this.running?.abort();
      };
    });
  }

  async refresh(): Promise<void> {
    await this.load(this.path(), null, this.size);
  }
  async next(): Promise<void> {
    if (this.loading || !this.more || this.error) return;
    await this.load(this.path(), this.cursor, this.size);
  }
  everything(signal: AbortSignal, told: (items: number) => void) {
    return everything<T>(this.path(), signal, told);
  }

  /** As much as is there, in one answer: nobody's place in the list is lost. Beyond that nothing is replaced. */
  private async again(path: string): Promise<void> {
    if (this.items.length <= largestPage) return this.load(path, null, Math.max(this.size, this.items.length), true);
    this.refresher?.began();
    this.refresher?.ended();
  }

  private async load(path: string, cursor: string | null, size: number, quietly = false): Promise<void> {
    this.running?.abort();
    const running = (this.running = new AbortController());
    const refresher = this.refresher;
    refresher?.began();
    if (!quietly) this.loading = true;
    const mark = path.includes('?') ? '&' : '?';
    const at = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
    try {
      const page = await get<Page<T>>(`${path}${mark}limit=${size}${at}`, running.signal);
      if (running.signal.aborted) return quietly ? refresher?.missed() : undefined;
      if (cursor) this.items = [...this.items, ...page.items];
      else if (!quietly || !same(page.items, this.items)) this.items = page.items;
      this.cursor = page.next_cursor;
      this.more = page.next_cursor !== null;
      this.total = page.total;
      this.unknownNotShown = page.unknown_not_shown;
      this.error = '';
      this.loaded = true;
    } catch (failure) {
      if (running.signal.aborted) return quietly ? refresher?.missed() : undefined;
      this.error = messageOf(failure);
    }
    this.loading = false;
    refresher?.ended();
  }
}

export function pages<T>(path: () => string, size?: number): Pages<T> {
  return new Pages<T>(path, size);
}
