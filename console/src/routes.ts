// SPDX-License-Identifier: Apache-2.0
// Every page: its place in the menu, the key after `g`, and the least role whose calls it needs.
import type { Component } from 'svelte';
import type { Role } from './lib/types';
import Account from './pages/Account.svelte';
import AgentKeys from './pages/AgentKeys.svelte';
import Agents from './pages/Agents.svelte';
import Alerts from './pages/Alerts.svelte';
import Audit from './pages/Audit.svelte';
import Batch from './pages/Batch.svelte';
import Compare from './pages/Compare.svelte';
import Doctor from './pages/Doctor.svelte';
import Enrolment from './pages/Enrolment.svelte';
import Events from './pages/Events.svelte';
import Feeds from './pages/Feeds.svelte';
import Finding from './pages/Finding.svelte';
import Findings from './pages/Findings.svelte';
import Groups from './pages/Groups.svelte';
import Held from './pages/Held.svelte';
import Host from './pages/Host.svelte';
import Hosts from './pages/Hosts.svelte';
import Image from './pages/Image.svelte';
import Images from './pages/Images.svelte';
import NewTask from './pages/NewTask.svelte';
import Operators from './pages/Operators.svelte';
import Overview from './pages/Overview.svelte';
import Releases from './pages/Releases.svelte';
import Results from './pages/Results.svelte';
import Search from './pages/Search.svelte';
import Settings from './pages/Settings.svelte';
import Software from './pages/Software.svelte';
import Task from './pages/Task.svelte';
import Tasks from './pages/Tasks.svelte';

export interface PageRoute {
  path: string; // of the entry in the menu that it belongs to
  title: string;
  key?: string;
  least: Role;
  onServer?: boolean; // the role is needed on the whole server
  component: Component;
}
/** The page of one of a list, by its id. */
interface Part {
  title: string;
  part: Component<{ id: string }>;
}
export type Found = PageRoute & { id: string; part?: Component<{ id: string }> };

export const sections: { title: string; pages: PageRoute[] }[] = [
  {
    title: 'Fleet',
    pages: [
      { path: '/', title: 'Overview', key: 'o', least: 'read_only', component: Overview },
      { path: '/hosts', title: 'Hosts', key: 'h', least: 'read_only', component: Hosts },
      { path: '/groups', title: 'Groups', key: 'g', least: 'read_only', component: Groups },
      { path: '/agents', title: 'Agents', key: 'a', least: 'read_only', component: Agents },
      { path: '/alerts', title: 'Alerts', key: 'l', least: 'read_only', component: Alerts },
      { path: '/tasks', title: 'Tasks', key: 't', least: 'read_only', component: Tasks },
      { path: '/results', title: 'Results', key: 'u', least: 'read_only', component: Results },
      { path: '/releases', title: 'Releases', key: 'r', least: 'read_only', component: Releases },
    ],
  },
  {
    title: 'Exposure',
    pages: [
      { path: '/findings', title: 'Findings', key: 'f', least: 'read_only', component: Findings },
      { path: '/software', title: 'Software', key: 's', least: 'read_only', component: Software },
      { path: '/images', title: 'Images', key: 'i', least: 'read_only', component: Images },
      { path: '/held', title: 'Held reports', least: 'read_only', component: Held },
      { path: '/feeds', title: 'Feeds', least: 'read_only', component: Feeds },
    ],
  },
  {
    title: 'Integrations',
    pages: [
      { path: '/enrolment', title: 'Enrolment', key: 'e', least: 'read_only', component: Enrolment },
      { path: '/agent-keys', title: 'Agent Keys', key: 'k', least: 'read_only', component: AgentKeys },
    ],
  },
  {
    title: 'Record',
    pages: [
      { path: '/events', title: 'Events', key: 'v', least: 'read_only', component: Events },
      { path: '/audit', title: 'Audit', least: 'admin', component: Audit },
    ],
  },
  {
    title: 'Server',
    pages: [
      { path: '/doctor', title: 'Doctor', key: 'd', least: 'read_only', onServer: true, component: Doctor },
      { path: '/settings', title: 'Settings', least: 'read_only', component: Settings },
      { path: '/operators', title: 'Operators', least: 'read_only', component: Operators },
      { path: '/account', title: 'Your account', least: 'read_only', component: Account },
    ],
  },
];

const parts: Record<string, Part> = {
  '/hosts': { part: Host, title: 'Host' },
  '/findings': { part: Finding, title: 'Finding' },
  '/images': { part: Image, title: 'Image' },
  '/tasks': { part: Task, title: 'Task' },
};

/** The page at a path, with the id that the path names. */
export function pageOf(path: string): Found | undefined {
  if (path === '/search') return { path, title: 'Search', least: 'read_only', component: Search, id: '' };
  if (path === '/compare') return { path: '/results', title: 'Comparison', least: 'read_only', component: Compare, id: '' };
  if (path.startsWith('/batches/')) {
    return { path: '/results', title: 'Batch', least: 'read_only', component: Results, part: Batch, id: decodeURIComponent(path.slice('/batches/'.length)) };
  }
  if (path === '/tasks/new') return { path: '/tasks', title: 'New task', least: 'operator', component: NewTask, id: '' };
  for (const page of sections.flatMap((section) => section.pages)) {
    if (path === page.path || path === `${page.path}/`) return { ...page, id: '' };
    const part = parts[page.path];
    const rest = path.slice(page.path.length + 1);
    if (part && path.startsWith(`${page.path}/`) && !rest.includes('/')) {
      return { ...page, ...part, id: decodeURIComponent(rest) };
    }
  }
  return undefined;
}
