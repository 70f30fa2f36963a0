// SPDX-License-Identifier: Apache-2.0
// The server's word of what changed (GET /api/v1/stream): topics, not data. Whoever shows a list asks again.
// One stream for the whole page, while somebody is signed in and looks at it.
import { addressOf, get } from './api';

export const topics = [
  'hosts', 'agents', 'tasks', 'results', 'findings', 'images', 'events', 'audit', 'feeds', 'releases', 'settings', 'access', 'alerts',
] as const;
export type Topic = (typeof topics)[number];

/** What an answer depends on, by the first part of its path; of the rest nobody is told. */
const dependsOn: Record<string, readonly Topic[]> = {
  hosts: ['hosts', 'agents', 'findings'],
  agents: ['agents', 'releases'],
  fleet: ['hosts', 'agents', 'tasks', 'findings'],
  'held-reports': ['hosts'],
  software: ['hosts'],
  tasks: ['tasks', 'results'],
  batches: ['tasks'],
  results: ['results'],
  findings: ['findings'],
  'finding-groups': ['findings'],
  'finding-trend': ['findings'],
  images: ['images', 'findings'],
  events: ['events'],
  audit: ['audit'],
  feeds: ['feeds'],
  releases: ['releases'],
  views: ['settings', 'alerts', 'hosts'],
  alerts: ['alerts'],
  webhooks: ['alerts'],
  tokens: ['access'],
  keys: ['access'],
  operators: ['access'],
  sessions: ['access'],
  passkeys: ['access'],
  identities: ['access'],
};
export function topicsOf(path: string): readonly Topic[] {
  const [first, , third] = path.replace(/^\//, '').split(/[/?]/);
  // Samples are taken every minute or so, and no word is said of each.
  if (first === 'agents' && third === 'history') return [];
  return dependsOn[first ?? ''] ?? [];
}

/** What listeners hear: these topics changed; the stream begins, so anything may have since before; or it is gone. */
export type Word = ReadonlySet<Topic> | 'begins' | 'gone';

// A stream ends every few minutes, and the browser comes back within 5 s: nobody need notice.
const patience = 8_000;
// The server says every 25 s that it is there.
const silence = 60_000;
// After a refusal, with as much again by lot: 429 and 503 ask for half a minute at least.
const retryAfter = 30_000;

class Live {
  /** Whether changes are told; if not, lists are read again every so often. */
  on = $state(false);
  private source?: EventSource;
  private wanted = false;
  private timer = 0;
  private readonly listeners = new Set<(word: Word) => void>();

  /** Calls `listen` with each word until the answer is called. */
  listen(listen: (word: Word) => void): () => void {
    this.listeners.add(listen);
    return () => this.listeners.delete(listen);
  }

  /** Watches while `wanted` and while the page is visible; what it watched before, no more. */
  want(wanted: boolean): void {
    this.close();
    this.wanted = wanted;
    this.look();
  }

  private readonly look = () => {
    const wanted = this.wanted && document.visibilityState === 'visible';
    if (wanted && !this.source) this.open();
    if (!wanted) this.close();
  };

  private say(word: Word) {
    for (const listen of [...this.listeners]) listen(word);
  }

  private open() {
    const source = (this.source = new EventSource(addressOf('/stream')));
    source.addEventListener('ready', () => {
      this.on = true;
      this.expect(silence);
      this.say('begins');
    });
    source.addEventListener('alive', () => this.expect(silence));
    source.addEventListener('changed', (event: MessageEvent<string>) => {
      this.expect(silence);
      this.say(new Set((JSON.parse(event.data) as { topics: Topic[] }).topics));
    });
    let since = 0; // of the first error, while the browser tries again and again
    source.addEventListener('ready', () => (since = 0));
    source.addEventListener('error', () => {
      since ||= Date.now();
      if (source.readyState === EventSource.CLOSED) this.refused();
      else this.expect(Math.max(0, since + patience - Date.now()));
    });
    this.expect(patience);
  }

  /** If nothing is heard for so long, the stream is as good as gone, and is begun anew. */
  private expect(within: number) {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.lost(retryAfter * Math.random()), within);
  }

  /** The server said no: because nobody is signed in any more, or because it is full. */
  private refused() {
    this.lost(retryAfter * (1 + Math.random()));
    // Whoever is not signed in any more learns it here.
    void get('/me').catch(() => {});
  }

  private lost(again: number) {
    this.close();
    this.timer = window.setTimeout(this.look, again);
  }

  private close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = undefined;
    if (!this.on) return;
    this.on = false;
    this.say('gone');
  }

  constructor() {
    document.addEventListener('visibilitychange', this.look);
  }
}
export const live = new Live();
