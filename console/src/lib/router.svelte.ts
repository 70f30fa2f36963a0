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
addEventListener('popstate', follow);

/** Goes to an address of this page; a changed path starts at its top. */
export function go(to: string, how: 'push' | 'replace' = 'push'): void {
  const moved = new URL(to, location.href).pathname !== location.pathname;
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
