// SPDX-License-Identifier: Apache-2.0
// What of the API's objects (api/openapi.yaml) the pages show.

import type { EventType } from './event_types';

export type Severity = 'unknown' | 'negligible' | 'low' | 'medium' | 'high' | 'critical';
export type Presence = 'online' | 'offline' | 'unknown';
export const roles = ['read_only', 'analyst', 'operator', 'admin', 'owner'] as const;
export type Role = (typeof roles)[number];

export interface Total { value: number; relation: 'eq' | 'gte' }
export interface Page<T> { items: T[]; next_cursor: string | null; total: Total; unknown_not_shown?: Total }

export interface Org { id: number; name: string }
export interface Grant { org_id: number; org: string; role: Role; granted_at: string; granted_by: string; granted_by_name: string | null }
export interface Self { operator_id: number; name: string; role: Role | 'none'; grants: Grant[]; session_id: number | null; password_set_at: string | null; second_factor: boolean; server_url: string; version: string }
export interface Session {
  id: number; operator_id: number; operator_name: string; role: Role | 'none'; address: string;
  created_at: string; used_at: string; expires_at: string; current: boolean;
}
export interface Operator {
  id: number; name: string; role: Role | 'none'; grants: Grant[]; created_at: string; expires_at: string | null; revoked_at: string | null;
}

export interface Fleet {
  agents: number; online: number; offline: number; unknown: number; flapping: number; stale: number; never_called: number;
  average_health: number | null; uptime_percent_30d: number | null; outages_30d: number;
  tasks_completed_7d: number; tasks_failed_7d: number; task_success_percent_7d: number;
  reporting_hosts: number; packages: number; packages_not_assessed: number; hosts_past_support: number;
}
export interface FindingGroup {
  key: string; cve: string | null; asset_id: number | null; kev: boolean; severity: Severity;
  findings: number; hosts: number; packages: string[];
}
export interface FindingDay extends Record<Severity, number> { day: string; counted_at: string; kev: number }
export interface FindingTrend { days: number; points: FindingDay[] }
export interface Feed {
  kind: string; records: number; published: string; imported_at: string | null; age_seconds: number | null; stale: boolean;
  state: 'idle' | 'waiting' | 'running'; source: string; checked_at: string | null; failures: number; failed_at: string | null;
  failure: string; next_sync_at: string | null;
  progress: { file: string; files: number; bytes: number; bytes_of: number | null; records: number } | null;
}
export interface Coverage {
  state: 'vulnerable' | 'accepted' | 'clean' | 'not_assessed';
  packages: number; assessed: number; vulnerable: number; not_assessed: number; share: number | null;
  reasons?: Record<string, number>;
}
export interface InstalledPackage {
  name: string; version: string; vendor: string; ecosystem: string; cpe: string; source_name: string; arch: string;
  origin: string | null; assessment: { state: string; reason: string };
}
export interface Runtime {
  reported_at: string;
  listening: { protocol: string; address: string; port: number; process: string }[] | null;
  services: { name: string; state: string }[] | null;
}
export interface Host {
  id: number; org_id: number; hostname: string; os: string; os_version: string; os_kernel: string; arch: string; distro: string;
  ip_address: string; tags: string[]; agent_id: string | null; presence: Presence; first_seen: string; last_seen: string;
  last_report_at: string | null; packages: number; held_removals: number; findings: number; findings_accepted: number;
  os_support: { state: string; until: string | null }; coverage: Coverage;
  software?: InstalledPackage[];
  sources?: { key_id: number; key_name: string; hostname: string; packages: number; reported_at: string }[];
  lockfiles?: { path: string; packages: number; vulnerable: number; vulnerabilities: number; reported_at: string }[];
  runtime?: Runtime | null;
}
export interface SavedView { name: string; org_id: number; query: string; set_at: string; set_by: string; set_by_name: string | null }
export interface ShownView extends SavedView { hosts: Total; used_by: { views: string[]; alerts: string[] } }
export interface Alert {
  id: number; org_id: number; name: string; query: string; comparison: 'above' | 'below'; threshold: number; for_seconds: number;
  state: 'ok' | 'pending' | 'firing'; since: string; hosts: Total | null; evaluated_at: string | null; failure: string;
  acknowledged_at: string | null; acknowledged_by: string; acknowledged_by_name: string | null; muted_until: string | null; muted_by: string; muted_by_name: string | null; failing_webhooks: string[];
}
export interface Webhook {
  id: number; org_id: number; name: string; url: string; events: string[]; delivered_at: string | null; failures: number; failure: string;
  next_at: string | null; given_up: number; waiting: number;
}
export interface TaskTargets { hosts: number; without_agent: number; agents: { agent_id: string; asset_id: number; hostname: string }[] }
export interface Vitals {
  uptime_seconds: number; cpu_percent: number; memory_mb: number; total_memory_mb: number; disk_free_mb: number;
}
export interface Agent {
  id: string; asset_id: number; hostname: string; os: string; arch: string; agent_version: string; status: string;
  update_state: 'nothing_offered' | 'up_to_date' | 'behind' | 'ahead'; offered_version: string | null;
  presence: Presence; flapping: boolean; last_seen: string | null; enrolled_at: string; tags: string[]; operator_tags: string[];
  heartbeat: { status: string; current_task: string | null; system: Vitals } | null;
  key: AgentKey;
  last_refusal: { reason: string; at: string; address: string } | null;
  clone?: { detected_at: string; confirmed_at: string; older: SeenMachine; newer: SeenMachine; split_agent_id: string | null } | null;
  config?: { state: 'in_force' | 'pending' | 'refused'; error: string; reported_at: string } | null;
  failed_update?: { version: string; error: string } | null;
  health: { score: number; uptime_percent: number; task_success_percent: number; outages: number } | null;
}
export interface AgentKey {
  generation: number; state: 'unused' | 'current' | 'pending' | 'overdue'; age_seconds: number | null;
  rotation_pending: boolean; offered_at: string | null;
}
export interface OfferedKey { agent_id: string; key_generation: number; key: string }
export interface SplitAgent { agent_id: string; split_agent_id: string; asset_id: number; key: string }
export interface SeenMachine { hostname: string; address: string }
export interface Sample { at: string; cpu_percent: number | null; memory_mb: number | null; disk_free_mb: number | null }
export interface History { sample_seconds: number; every: number; points: Sample[] }
export interface Acceptance { id: number; scope: string; reason: string; accepted_by: string; accepted_by_name: string | null; accepted_at: string; until: string | null }
export interface Evidence {
  feed: string; advisory: string; package: string; distro: string; scheme: string; installed: string;
  range: { introduced: string | null; fixed: string | null; last_affected: string | null; after: string };
  caveats: string[]; sentence: string;
}
export interface Finding {
  id: number; asset_id: number; hostname: string; cve: string | null; advisory: string; aliases: string[]; feed: string;
  package: string; version: string; fixed_version: string | null; severity: Severity; score: number | null; disputed: boolean;
  kev: boolean; kev_due_date: string | null; epss: number | null; epss_percentile: number | null;
  status: 'open' | 'accepted' | 'resolved'; acceptance: Acceptance | null; opened_at: string; resolved_at: string | null;
  resolution: string; summary?: string; urgency?: string; evidence?: Evidence;
  explanation?: { holds: boolean; state: string; reason: string; steps: { step: string; holds: boolean; text: string }[] };
}
export interface Software {
  id: number; org_id: number; name: string; version: string; vendor: string; ecosystem: string; distro: string; hosts: number;
  identity: string; state: string; reason_text: string; findings: number; products: string[];
}
export interface Image {
  id: number; digest: string | null; references: string[]; os: string; arch: string; hosts: number; retired: boolean;
  findings: Record<'critical' | 'high' | 'medium' | 'low' | 'negligible' | 'unknown', number>; kev: number;
  first_seen: string; scanned_at: string | null;
  running_on?: { asset_id: number; hostname: string; reference: string; first_seen: string; last_seen: string }[];
}
export interface ImageFinding {
  id: number; cve: string | null; advisory: string; package: string; version: string; fixed_version: string | null;
  fix_status: string; severity: Severity; kev: boolean; status: 'open' | 'accepted' | 'resolved'; title: string; url: string; source: string; epss: number | null;
  places: { target: string; path: string; version: string; fixed_version: string }[]; found_by: string[];
  matches: { feed: string; advisory: string; package: string; version: string; said: { evidence?: { sentence?: string } } }[];
}
export interface TaskResult {
  exit_code: number; outcome: Outcome | null; flags: string[]; stdout: string; stdout_truncated: boolean; stderr: string;
  stderr_truncated: boolean; execution_duration_ms: number; error: string; received_at: string;
}
export interface Task {
  id: string; agent_id: string; hostname: string; batch_id: string; type: string; status: string; priority: number; command: string;
  label: string; test_uuid: string; attempt: number; created_at: string; deliver_by: string; valid_until: string; approve_by: string | null; assigned_at: string | null;
  started_at: string | null; completed_at: string | null; error: string; result: TaskResult | null;
  order: { public_key: string; expires_at: string | null } | null;
  notes: { version: number; at: string; author: string; author_name: string | null; text: string }[];
  approval?: Approval | null; payload?: Record<string, unknown>; env_names?: string[];
}
export interface Approval {
  approve_by: string; created_by: number; created_by_name: string | null; decision: 'approved' | 'rejected' | null; decided_by: number | null; decided_by_name: string | null; decided_at: string | null; reason: string;
}
export type Outcome = 'unprotected' | 'error' | 'inconclusive' | 'not_run' | 'protected';
export interface ResultRow {
  task_id: string; control_id: string; position: number; control_name: string; validator: string; exit_code: number;
  outcome: Outcome | null; compliant: boolean; skipped: boolean; severity: string; category: string; subcategory: string;
  techniques: string[]; tactics: string[]; expected: string; actual: string; details: string; error_message: string; flag: string;
}
export interface Run {
  id: string; agent_id: string; asset_id: number; hostname: string; type: string; label: string; test_uuid: string; exit_code: number;
  outcome: Outcome | null; flags: string[]; error: string; execution_duration_ms: number; received_at: string;
}
export interface Batch {
  id: string; type: string; label: string; created_at: string; tasks: number; by_status: Record<string, number>; approval: Approval | null;
}
export interface Release {
  id: number; version: string; os: string; arch: string; sha256: string; size: number; mandatory: boolean; notes: string;
  published_at: string; expires_at: string | null; withdrawn_at: string | null;
}
export interface TokenUse { agent_id: string; asset_id: number; hostname: string; os: string; arch: string; status: string; enrolled_at: string; enrolled_from: string }
export interface TestBinary { org_id: number; test_uuid: string; name: string; sha256: string; size: number; uploaded_at: string }
export interface Token {
  id: number; status: string; max_uses: number; uses: number; created_at: string; expires_at: string; tags: string[];
  networks: string[]; systems: string[];
}
export interface Key { id: number; name: string; scopes: string[]; created_at: string; revoked_at: string | null }
export interface Event { id: number; at: string; type: EventType; agent_id: string | null; asset_id: number | null; hostname: string | null; details: Record<string, unknown> }
export interface AuditEntry { id: number; at: string; actor: string; actor_name: string | null; action: string; target: string; details: Record<string, unknown> }
export interface AuditHead { org_id: number; seq: number; hash: string; head: string }
export interface SecondFactorOffer { secret: string; url: string }
export interface Passkey { id: number; operator_id: number; name: string; backup_eligible: boolean; backed_up: boolean; created_at: string; used_at: string | null }
export interface OidcProvider { name: string | null }
export interface Identity { id: number; operator_id: number; issuer: string; subject: string; name: string; created_at: string; used_at: string | null }
export interface Check { name: string; state: 'fine' | 'near' | 'over'; found: string; advice: string }
export interface ServerSetting {
  key: string; value: string | number | boolean; default: string | number | boolean; changed: boolean; meaning: string;
}
export interface HeldReport {
  asset_id: number; hostname: string; packages: number; removals: number; held_at: string; reported_at: string;
  sample: { name: string; version: string }[];
}
export interface HostSettings {
  scan_interval: number | null; include_updates: boolean | null; include_services: boolean | null;
  minimum_agent_version: string | null; force_full_scan: boolean | null;
  task_approval: 'none' | 'risky' | 'all' | null; task_approval_hosts: number | null; task_approval_seconds: number | null;
}
