// SPDX-License-Identifier: Apache-2.0
// Who is signed in, and what they may where: the same order as the server's, which decides.
import { askAbout } from './api';
import { roles, type Org, type Role, type Self } from './types';

const kept = 'org';

function rank(role: Role | 'none' | undefined): number {
  return roles.indexOf(role as Role);
}

class Signed {
  self = $state.raw<Self>();
  /** Organisations that it may see. */
  orgs = $state.raw<Org[]>([]);
  /** The one that the pages are about; 0 is all of them, for who has a role on the whole server. */
  org = $state(0);

  /** Begins with the organisation that this tab was about, if it is there still. */
  enter(self: Self, orgs: Org[]): void {
    this.self = self;
    this.orgs = orgs;
    let last = 0;
    try {
      last = Number(sessionStorage.getItem(kept) ?? 0);
    } catch {
      // It begins anew.
    }
    const first = self.role === 'none' ? (orgs[orgs.length - 1]?.id ?? 0) : 0;
    this.about(orgs.some((each) => each.id === last) ? last : first);
  }
  about(org: number): void {
    this.org = org;
    askAbout(org === 0 ? '' : String(org));
    try {
      sessionStorage.setItem(kept, String(org));
    } catch {
      // It holds for this visit.
    }
  }
  roleIn(org: number): Role | 'none' {
    const onServer = this.self?.role ?? 'none';
    const granted = this.self?.grants.find((each) => each.org_id === org)?.role ?? 'none';
    return rank(granted) > rank(onServer) ? granted : onServer;
  }
  /** In what the pages are about. */
  get role(): Role | 'none' {
    return this.roleIn(this.org);
  }
  may(least: Role): boolean {
    return this.mayIn(this.org, least);
  }
  mayIn(org: number, least: Role): boolean {
    return this.self !== undefined && rank(this.roleIn(org)) >= rank(least);
  }
  mayOnServer(least: Role): boolean {
    return rank(this.self?.role) >= rank(least);
  }
}
export const signed = new Signed();

class Clock {
  now = $state(Date.now());
}
export const clock = new Clock();
setInterval(() => (clock.now = Date.now()), 15_000);
