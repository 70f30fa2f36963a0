// SPDX-License-Identifier: Apache-2.0
// Passkeys, as browsers make and use them (W3C Web Authentication Level 3). The server speaks its JSON, in which
// octets are base64url.
import { post } from './api';

interface RequestOptions { challenge: string; timeout: number; rpId: string; userVerification: 'required' }
interface CreationOptions {
  rp: { id: string; name: string }; user: { id: string; name: string; displayName: string }; challenge: string;
  pubKeyCredParams: PublicKeyCredentialParameters[]; timeout: number; excludeCredentials: { type: 'public-key'; id: string }[];
  authenticatorSelection: AuthenticatorSelectionCriteria; attestation: 'none';
}

/** Whether this browser has passkeys at all, and for a page at this address: never for an IP address. */
export function arePasskeysKnown(): boolean {
  return isSecureContext && 'PublicKeyCredential' in window && !/^(\[|[\d.]+$)/.test(location.hostname);
}

function octetsOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
}
function textOf(octets: ArrayBuffer | null): string {
  const letters = Array.from(new Uint8Array(octets ?? new ArrayBuffer(0)), (octet) => String.fromCharCode(octet)).join('');
  return btoa(letters).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** In words for people; browsers' own are for programmers. */
function refusalOf(failure: unknown, host: string): unknown {
  if (!(failure instanceof DOMException)) return failure;
  if (failure.name === 'InvalidStateError') return new Error('This device or key has a passkey of yours already.');
  if (failure.name === 'SecurityError') return new Error(`Passkeys are for ${host}, and this page is at ${location.hostname}.`);
  if (failure.name === 'NotAllowedError' || failure.name === 'AbortError') return new Error('No passkey was used: it was refused, or took too long.');
  return failure;
}

/** Has the browser make a passkey and adds it. */
export async function addPasskey(name: string, currentPassword: string): Promise<void> {
  const options = await post<CreationOptions>('/passkeys/challenge', { current_password: currentPassword });
  const publicKey: PublicKeyCredentialCreationOptions = {
    ...options,
    challenge: octetsOf(options.challenge),
    user: { ...options.user, id: octetsOf(options.user.id) },
    excludeCredentials: options.excludeCredentials.map((each) => ({ ...each, id: octetsOf(each.id) })),
  };
  const made = (await navigator.credentials.create({ publicKey }).catch((failure: unknown) => {
    throw refusalOf(failure, options.rp.id);
  })) as PublicKeyCredential;
  const response = made.response as AuthenticatorAttestationResponse;
  await post('/passkeys', {
    name,
    credential: {
      type: made.type, id: made.id,
      response: { clientDataJSON: textOf(response.clientDataJSON), attestationObject: textOf(response.attestationObject) },
    },
  });
}

/** Signs in with one of the passkeys that the browser offers. */
export async function signInWithPasskey(): Promise<void> {
  const options = await post<RequestOptions>('/sessions/passkey/challenge');
  const publicKey: PublicKeyCredentialRequestOptions = { ...options, challenge: octetsOf(options.challenge) };
  const used = (await navigator.credentials.get({ publicKey }).catch((failure: unknown) => {
    throw refusalOf(failure, options.rpId);
  })) as PublicKeyCredential;
  const response = used.response as AuthenticatorAssertionResponse;
  await post('/sessions/passkey', {
    credential: {
      type: used.type, id: used.id,
      response: {
        clientDataJSON: textOf(response.clientDataJSON), authenticatorData: textOf(response.authenticatorData),
        signature: textOf(response.signature), userHandle: textOf(response.userHandle),
      },
    },
  });
}
