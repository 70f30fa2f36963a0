// SPDX-License-Identifier: Apache-2.0
// Who is signed in, and what they may: the same order as the server's, which decides.
import { roles, type Role, type Self } from './types';

class Signed {
  self = $state.raw<Self>();
  may(least: Role): boolean {
    return this.self !== undefined && roles.indexOf(this.self.role) >= roles.indexOf(least);
  }
}
export const signed = new Signed();

class Clock {
  now = $state(Date.now());
}
export const clock = new Clock();
setInterval(() => (clock.now = Date.now()), 15_000);
