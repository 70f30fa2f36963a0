// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "base/config.h"
#include "base/log.h"
#include "base/random.h"
#include "base/time.h"
#include "endpoints/app.h"
#include "endpoints/dispatcher.h"
#include "fleet/alerts.h"
#include "fleet/audit.h"
#include "fleet/change_tail.h"
#include "fleet/changes.h"
#include "fleet/clones.h"
#include "fleet/feed_syncs.h"
#include "fleet/fleet.h"
#include "fleet/health.h"
#include "fleet/key_schedule.h"
#include "fleet/oidc_provider.h"
#include "fleet/outages.h"
#include "fleet/refusals.h"
#include "fleet/retired_keys.h"
#include "fleet/sign_in.h"
#include "fleet/watchers.h"
#include "fleet/webhooks.h"

namespace muster::endpoints {

/// The server but its sockets: a fleet and the endpoints over it, wired once for `main`, for tests
/// and for the simulation. What it is given outlives it.
class Wiring {
 public:
  /// Does what a start has to do before the first request: issues the first operator token into
  /// `admin_token_file`, and links audit rows that an older program wrote. Throws
  /// store::StoreError. Answers 503 until open(). In `changes` is collected what those who watch
  /// are told.
  Wiring(fleet::Fleet& fleet, fleet::Changes& changes, const Config& config, Rng& rng, Log& log,
         const std::string& admin_token_file, Instant now);

  /// From now on requests are served, and agents are told `url`.
  void open(std::string url);

  /// What is due every `[presence] flush_seconds`. Every server of several writes what heartbeats
  /// changed since the last time and which sessions were used, and reads what the others heard. The
  /// one that leads (fleet/nodes.h) rotates keys that are due, deletes what is too old and files
  /// that nothing refers to, and once a day logs the heads of the audit log that moved. What fails
  /// is logged and waits for the next time.
  void maintain(Instant now);
  /// What is due at the start and every half minute, and may take minutes: follows imports of other
  /// servers; the one that leads finishes the matching of an import that was cut short. What fails
  /// is logged and waits for the next time. On one thread, that nothing else waits for.
  void finish_matching(Instant now);
  /// What is due every `[presence] check_seconds`: tells of keys that were used after their end and
  /// of clocks that are wrong; and, on the server that leads, of agents that fell silent or came
  /// back without a word and of feeds that became stale, and does to tasks and to what operators
  /// accepted what time alone does. What fails is logged and waits for the next time.
  void watch(Instant now);
  /// What is due every second: tells those who watch what changed; while nobody does, memory only.
  /// What fails is logged when it begins to. On one thread.
  void tell_watchers(Instant now);
  /// Likewise due every second: finds out whether the store answers, for GET /readyz. On one
  /// thread.
  void ask_store(Instant now);
  /// What is due every few seconds and may take some: evaluates alerts, on the server that leads.
  /// What fails is logged and waits for the next time. On one thread.
  void watch_alerts(const std::function<Instant()>& clock, const std::function<bool()>& goes_on);
  /// Likewise: delivers events to webhooks, on the server that leads. On one thread.
  void deliver_events(const fleet::WebhookWorld& world);
  /// At the end: all of presence that is not in the store.
  void flush_presence();
  /// At the end: of the sign-ins that were refused, all that is not in the store.
  void tell_refused_sign_ins(Instant now);

  const fleet::TaskBoard tasks;
  fleet::FleetHealth health;
  fleet::KeySchedule keys;
  fleet::CloneWatch clones;
  fleet::RetiredKeyWatch retired_keys;
  fleet::FeedSyncs feed_syncs;
  fleet::RefusalWatch refusals;
  fleet::RefusedSignIns refused_sign_ins;
  fleet::OidcProvider oidc;  // to be set before open(), or there is none
  fleet::Watchers watchers;
  ServerFace face;  // to be complete before open()
  App app;
  Dispatcher dispatcher;

 private:
  /// Runs what may fail for want of the store; then logs it as `failure`.
  template <typename F>
  void attempt(std::string_view failure, F&& work);
  void pass_task_time(Instant now);
  void pass_findings(Instant now);
  void tell_of_refusals(Instant now);
  void write_presence(const std::function<std::size_t()>& flush);
  void merge_presence(Instant now);
  void prune(Instant now);
  void rotate_keys(bool leads, Instant now);
  void count_findings(Instant now);
  void delete_loose_blobs(Instant now);
  void link_audit();
  void tell_audit_heads(Instant now);

  fleet::Fleet& fleet_;
  fleet::Changes& changes_;
  Log& log_;
  fleet::AlertWatch alerts_;
  fleet::OutageWatch outages_;
  fleet::AuditWatch audit_;
  fleet::ChangeTail change_tail_;
  bool look_fails_ = false;    // the last one of tell_watchers()
  bool asking_fails_ = false;  // the last one of ask_store()
};

}  // namespace muster::endpoints
