// SPDX-License-Identifier: Apache-2.0
// The operators' API, as any client calls it; the session's cookie comes by itself.
import { orgRoutes } from './org_routes';

/** What the server said no with; status 0 when it could not be reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field?: string,
  ) {
    super(message);
  }
}

let whenSignedOut: () => void = () => {};
/** Called when the server does not know the session any more. */
export function onSignedOut(call: () => void): void {
  whenSignedOut = call;
}

let org = '';
/** Every call that may name an organisation and names none is about this one; with an empty text about all. */
export function askAbout(id: string): void {
  org = id;
}

// The server refuses what a route does not take.
const takingOrg = orgRoutes.map((route) => new RegExp(`^${route.replace(/:\w+/g, '[^/]+')}$`));
const takesOrg = (method: string, path: string) => takingOrg.some((each) => each.test(`${method} ${path.split('?')[0]}`));

/** Where `path` is, of the organisation that the pages are about. */
export function addressOf(path: string, method = 'GET'): string {
  const address = '/api/v1' + path;
  if (org === '' || /[?&]org=/.test(path) || !takesOrg(method, path)) return address;
  return `${address}${path.includes('?') ? '&' : '?'}org=${encodeURIComponent(org)}`;
}

async function failureOf(response: Response): Promise<ApiError> {
  try {
    const body = (await response.json()) as { error?: string; message?: string; field?: string };
    const wait = response.headers.get('Retry-After');
    const text = (body.message ?? response.statusText) + (wait ? ` Try again in ${wait} s.` : '');
    return new ApiError(response.status, body.error ?? 'unknown', text, body.field);
  } catch {
    return new ApiError(response.status, 'unknown', `The server answered ${response.status}.`);
  }
}

async function answerOf(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { 'X-Muster-Console': '1' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(addressOf(path, method), {
      method,
      headers,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (failure) {
    if (signal?.aborted) throw failure;
    throw new ApiError(0, 'unreachable', 'The server cannot be reached.');
  }
  if (response.ok) return response;
  const failure = await failureOf(response);
  const signingIn = method === 'POST' && path.startsWith('/sessions');
  if (response.status === 401 && !signingIn) whenSignedOut();
  throw failure;
}

async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  return (await (await answerOf(method, path, body, signal)).json()) as T;
}

export const getText = async (path: string) => (await answerOf('GET', path)).text();
export const get = <T>(path: string, signal?: AbortSignal) => call<T>('GET', path, undefined, signal);
export const post = <T>(path: string, body: unknown = {}) => call<T>('POST', path, body);
export const put = <T>(path: string, body: unknown) => call<T>('PUT', path, body);
export const del = <T>(path: string) => call<T>('DELETE', path);

/** `path` with the parameters that have a value. */
export function withQuery(path: string, params: Record<string, string | number | boolean | undefined | null>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== null && value !== '' && value !== false) query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

/** The words for people of whatever was thrown. */
export function messageOf(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}
