// SPDX-License-Identifier: Apache-2.0
// Trips to a provider of identities (OpenID Connect) and back. The server keeps nothing of one: the browser has it
// sealed in a cookie, and this tab remembers what it was for.
import { post } from './api';

const key = 'oidc-trip';

/** Where the provider sends the browser. */
export const returnPath = '/sign-in/oidc';

/** What a trip is for; `then` is the page that it ends at. */
export interface Trip { links: boolean; then: string }

async function leave(path: string, body: Record<string, string>, trip: Trip): Promise<void> {
  const { url } = await post<{ url: string }>(path, body);
  sessionStorage.setItem(key, JSON.stringify(trip));
  location.assign(url);
}
export const signInAtProvider = (then: string) => leave('/sessions/oidc/trip', {}, { links: false, then });
export const linkAtProvider = (currentPassword: string) =>
  leave('/identities/trip', { current_password: currentPassword }, { links: true, then: '/account' });

/** What this tab left for; once. */
export function tripOfThisTab(): Trip {
  const text = sessionStorage.getItem(key);
  sessionStorage.removeItem(key);
  return text ? (JSON.parse(text) as Trip) : { links: false, then: '/' };
}

/** Brings the server what the browser came back with. */
export async function finishTrip(trip: Trip, came: URLSearchParams): Promise<void> {
  const code = came.get('code');
  if (!code) {
    const refused = came.get('error') === 'access_denied';
    throw new Error(refused ? 'The provider says that you refused, or may not sign in here.' : 'The provider sent you back without a sign-in.');
  }
  await post(trip.links ? '/identities' : '/sessions/oidc', { code, state: came.get('state') ?? '' });
}
