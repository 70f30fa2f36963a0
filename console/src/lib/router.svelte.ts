// SPDX-License-Identifier: Apache-2.0
// Where the page is: the browser's own address, as state.

class Place {
  path = $state(location.pathname);
  query = $state.raw(new URLSearchParams(location.search));
}
export const place = new Place();

function follow(): void {
  place.path = location.pathname;
  place.query = new URLSearchParams(location.search);
}

// Each entry of the history knows how far its page was scrolled. Lists come back page by page, so whoever goes
// back is led there once there is that much again, unless they go somewhere by themselves meanwhile.
const patience = 5_000;
let wanted = 0;
/** How far down the page is that somebody is on the way back to; 0 is the top. */
export const placeWanted = (): number => wanted;

function leadBack(y: number, from: string): void {
  wanted = y;
  const until = Date.now() + patience;
  const leave = new AbortController();
  for (const own of ['wheel', 'touchstart', 'pointerdown', 'keydown']) addEventListener(own, () => leave.abort(), { once: true, signal: leave.signal });
  let there = 0;
  const step = () => {
    if (!leave.signal.aborted && Date.now() < until) {
      scrollTo(0, y);
      const links = [...document.querySelectorAll<HTMLElement>('main a.name')];
      const link = links.find((each) => [from, from.split('?')[0]].includes(each.getAttribute('href') ?? ''));
      if (Math.abs(scrollY - y) > 2) there = 0;
      else ++there;
      if (there < (link ? 1 : 10)) return setTimeout(step, 50);
      // The keys go on from what was looked at.
      link?.focus({ preventScroll: true });
    }
    wanted = 0;
    leave.abort();
  };
  step();
}
addEventListener('popstate', (event) => {
  const from = place.path + (place.query.size ? `?${place.query}` : '');
  follow();
  const y = (event.state as { y?: number } | null)?.y;
  if (y !== undefined) leadBack(y, from);
});

/** Goes to an address of this page; a changed path starts at its top. */
export function go(to: string, how: 'push' | 'replace' = 'push'): void {
  const moved = new URL(to, location.href).pathname !== location.pathname;
  wanted = 0;
  if (how === 'push') history.replaceState({ y: Math.round(scrollY) }, '');
  history[how === 'push' ? 'pushState' : 'replaceState'](null, '', to);
  follow();
  if (moved) {
    scrollTo(0, 0);
    document.getElementById('main')?.focus({ preventScroll: true });
  }
}

/** Changes parameters of this address; an empty value leaves one out. */
export function setParams(changes: Record<string, string>): void {
  const query = new URLSearchParams(place.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.toString();
  go(place.path + (text ? `?${text}` : ''), 'replace');
}

/** Links of this page are followed without loading it anew. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element).closest('a');
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (link.pathname.startsWith('/api/') || link.pathname === '/openapi.json') return;
  event.preventDefault();
  go(link.pathname + link.search);
}
