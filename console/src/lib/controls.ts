// SPDX-License-Identifier: Apache-2.0
// The controls of runs: how each ended, where MITRE ATT&CK puts it, and what differs between two runs.
import { get } from './api';
import { everything } from './query.svelte';
import type { Batch, Outcome, Page, ResultRow, Task } from './types';

/** The gravest first. */
export const outcomes: Outcome[] = ['unprotected', 'error', 'inconclusive', 'not_run', 'protected'];
/** A sign beside each colour. */
export const marks: Record<Outcome, string> = { unprotected: '✗', error: '!', inconclusive: '?', not_run: '–', protected: '✓' };

export interface Control {
  key: string; // the same in another run of it
  task: string;
  host: string;
  id: string;
  name: string;
  outcome: Outcome;
  techniques: string[];
  tactics: string[];
  row: ResultRow;
}

/** Enterprise tactics in the order of an attack, by their short names and ids. */
const tacticsInOrder: [string, string][] = [
  ['reconnaissance', 'TA0043'], ['resource-development', 'TA0042'], ['initial-access', 'TA0001'], ['execution', 'TA0002'],
  ['persistence', 'TA0003'], ['privilege-escalation', 'TA0004'], ['defense-evasion', 'TA0005'], ['credential-access', 'TA0006'],
  ['discovery', 'TA0007'], ['lateral-movement', 'TA0008'], ['collection', 'TA0009'], ['command-and-control', 'TA0011'],
  ['exfiltration', 'TA0010'], ['impact', 'TA0040'],
];
const shortNames = new Map(tacticsInOrder.map(([name, id]) => [id.toLowerCase(), name]));
const places = new Map(tacticsInOrder.map(([name], place) => [name, place]));

/** "Defense Evasion", "defense_evasion" and "TA0005" are one tactic. */
function tacticOf(text: string): string {
  const plain = text.trim().toLowerCase().replaceAll(/[\s_]+/g, '-');
  return shortNames.get(plain) ?? plain;
}
export function tacticTitle(tactic: string): string {
  if (!tactic) return 'No tactic';
  const text = tactic.replaceAll('-', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function controlOf(row: ResultRow, host: string, byHost: boolean): Control {
  const judged: Outcome = row.skipped ? 'not_run' : row.compliant ? 'protected' : 'unprotected';
  return {
    key: byHost ? `${host}\n${row.control_id}` : row.control_id,
    task: row.task_id, host, id: row.control_id, name: row.control_name || row.control_id || 'The test as a whole',
    outcome: row.outcome ?? judged,
    techniques: [...new Set(row.techniques.map((each) => each.trim().toUpperCase()).filter(Boolean))],
    tactics: [...new Set(row.tactics.map(tacticOf).filter(Boolean))],
    row,
  };
}
/** A result without controls has one row, which names none. */
export const hasControls = (rows: ResultRow[]) => rows.length > 1 || (rows[0]?.control_id ?? '') !== '';

export type Counts = Record<Outcome, number>;
export function countsOf(controls: Control[]): Counts {
  const counts: Counts = { unprotected: 0, error: 0, inconclusive: 0, not_run: 0, protected: 0 };
  for (const control of controls) ++counts[control.outcome];
  return counts;
}
export const sum = (counts: Counts) => outcomes.reduce((all, outcome) => all + counts[outcome], 0);
/** The outcome that speaks for several: the gravest. */
export const gravest = (counts: Counts): Outcome => outcomes.find((outcome) => counts[outcome] > 0) ?? 'not_run';
export const inWords = (counts: Counts) =>
  outcomes.filter((outcome) => counts[outcome] > 0).map((outcome) => `${counts[outcome]} ${outcome.replace('_', ' ')}`).join(', ');

export interface Tile { technique: string; counts: Counts }
export interface Column { tactic: string; counts: Counts; tiles: Tile[] }

/** Techniques by tactic; in one column when no control names a tactic. A control counts in each that it names. */
export function heatOf(controls: Control[]): Column[] {
  const columns = new Map<string, Map<string, Control[]>>();
  for (const control of controls) {
    if (!control.tactics.length && !control.techniques.length) continue;
    for (const tactic of control.tactics.length ? control.tactics : ['']) {
      const tiles = columns.get(tactic) ?? new Map<string, Control[]>();
      columns.set(tactic, tiles);
      for (const technique of control.techniques.length ? control.techniques : ['']) {
        const tile = tiles.get(technique);
        if (tile) tile.push(control);
        else tiles.set(technique, [control]);
      }
    }
  }
  const place = (tactic: string) => places.get(tactic) ?? (tactic ? places.size : places.size + 1);
  return [...columns]
    .map(([tactic, tiles]) => ({
      tactic,
      counts: countsOf([...new Set([...tiles.values()].flat())]),
      tiles: [...tiles].map(([technique, of]) => ({ technique, counts: countsOf(of) })).sort((a, b) => a.technique.localeCompare(b.technique)),
    }))
    .sort((a, b) => place(a.tactic) - place(b.tactic) || a.tactic.localeCompare(b.tactic));
}

/** What the address narrows controls to; `none` asks for those that name no technique or tactic. */
export function narrow(controls: Control[], query: URLSearchParams): Control[] {
  const [tactic, technique, outcome, id] = ['tactic', 'technique', 'outcome', 'control'].map((name) => query.get(name) ?? '');
  const among = (wanted: string | undefined, named: string[]) => !wanted || (wanted === 'none' ? named.length === 0 : named.includes(wanted));
  return controls.filter(
    (each) => among(tactic, each.tactics) && among(technique, each.techniques) && (!outcome || each.outcome === outcome) && (!id || each.id === id),
  );
}

export const changes = ['worse', 'better', 'other', 'new', 'gone', 'same'] as const;
export type Change = (typeof changes)[number];
export interface Difference { change: Change; control: Control; before: Outcome | null; after: Outcome | null }

function changeOf(before: Outcome, after: Outcome): Change {
  if (before === after) return 'same';
  if (before === 'protected' && after === 'unprotected') return 'worse';
  if (before === 'unprotected' && after === 'protected') return 'better';
  return 'other';
}
/** Every control of either run; those that got worse first. */
export function differencesOf(before: Control[], after: Control[]): Difference[] {
  const earlier = new Map(before.map((each) => [each.key, each]));
  const found: Difference[] = after.map((control) => {
    const was = earlier.get(control.key);
    earlier.delete(control.key);
    if (!was) return { change: 'new', control, before: null, after: control.outcome };
    return { change: changeOf(was.outcome, control.outcome), control, before: was.outcome, after: control.outcome };
  });
  for (const control of earlier.values()) found.push({ change: 'gone', control, before: control.outcome, after: null });
  return found.sort((a, b) => changes.indexOf(a.change) - changes.indexOf(b.change));
}

/** Hosts of a batch whose controls are read, one call each. */
export const mostTasks = 200;

export interface RunOf {
  id: string;
  kind: 'task' | 'batch';
  title: string;
  at: string;
  tasks: Task[];
  whole: boolean; // all tasks were read
  answered: number; // tasks with a result
  controls: Control[];
}

async function controlsOf(task: Task, byHost: boolean, signal?: AbortSignal): Promise<Control[]> {
  const { items } = await everything<ResultRow>(`/tasks/${task.id}/results`, signal);
  if (byHost || hasControls(items)) return items.map((row) => controlOf(row, task.hostname, byHost));
  return [];
}
export async function loadTask(id: string, signal?: AbortSignal): Promise<RunOf> {
  const task = await get<Task>(`/tasks/${encodeURIComponent(id)}`, signal);
  const controls = task.result ? await controlsOf(task, false, signal) : [];
  return { id, kind: 'task', title: task.label, at: task.result?.received_at ?? task.created_at, tasks: [task], whole: true, answered: task.result ? 1 : 0, controls };
}
/** The tests of a batch: of each host the last try that has a result. */
export async function loadBatch(id: string, signal?: AbortSignal): Promise<RunOf> {
  const { items: tasks, whole } = await everything<Task>(`/tasks?batch=${encodeURIComponent(id)}`, signal);
  const last = new Map<string, Task>();
  for (const task of tasks) {
    const seen = last.get(task.agent_id);
    if (task.status === 'completed' && (!seen || seen.created_at < task.created_at)) last.set(task.agent_id, task);
  }
  const answered = [...last.values()].filter((task) => task.type === 'execute_test');
  const read = answered.slice(0, mostTasks);
  const controls: Control[] = [];
  for (let at = 0; at < read.length; at += 6) {
    const some = await Promise.all(read.slice(at, at + 6).map((task) => controlsOf(task, true, signal)));
    controls.push(...some.flat());
  }
  return {
    id, kind: 'batch', title: tasks[0]?.label ?? '', at: tasks[0]?.created_at ?? '', tasks, controls,
    whole: whole && read.length === answered.length, answered: answered.length,
  };
}
export const loadRun = (kind: string, id: string, signal?: AbortSignal) => (kind === 'batch' ? loadBatch(id, signal) : loadTask(id, signal));

/** The batches before this one that did the same, the latest first. */
export async function earlierBatches(of: RunOf, signal?: AbortSignal): Promise<Batch[]> {
  const { items } = await get<Page<Batch>>('/batches?limit=1000', signal);
  const place = items.findIndex((each) => each.id === of.id);
  return place < 0 ? [] : items.slice(place + 1).filter((each) => each.label === of.title && each.type === of.tasks[0]?.type);
}
