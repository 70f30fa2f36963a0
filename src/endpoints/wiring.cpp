// SPDX-License-Identifier: Apache-2.0
#include "endpoints/wiring.h"

#include <utility>

#include "base/text.h"
#include "fleet/acceptances.h"
#include "fleet/blobs.h"
#include "fleet/feed_age.h"
#include "fleet/feed_import.h"
#include "fleet/finding_trend.h"
#include "fleet/results.h"
#include "fleet/samples.h"
#include "fleet/task_course.h"

namespace muster::endpoints {

Wiring::Wiring(fleet::Fleet& fleet, fleet::Changes& changes, const Config& config, Rng& rng,
               Log& log, const std::string& admin_token_file, Instant now)
    : tasks(fleet.task_board(rng)),
      health(fleet.store, fleet.presence, config),
      keys(fleet.store, fleet.ids, fleet.credentials),
      retired_keys(fleet.credentials),
      feed_syncs({fleet.store, fleet.ids, fleet.catalogue, fleet.packages}, fleet.nodes,
                 config.feed_sync_interval()),
      app{.config = config,
          .store = fleet.store,
          .rng = rng,
          .ids = fleet.ids,
          .log = log,
          .credentials = fleet.credentials,
          .nodes = fleet.nodes,
          .presence = fleet.presence,
          .directory = fleet.directory,
          .packages = fleet.packages,
          .catalogue = fleet.catalogue,
          .settings = fleet.settings,
          .marks = fleet.marks,
          .key_uses = fleet.key_uses,
          .scripts = fleet.scripts,
          .told_releases = fleet.told_releases,
          .signing_key = fleet.signing_key,
          .tasks = tasks,
          .health = health,
          .keys = keys,
          .clones = clones,
          .retired_keys = retired_keys,
          .feed_syncs = feed_syncs,
          .refusals = refusals,
          .refused_sign_ins = refused_sign_ins,
          .oidc = oidc,
          .changes = changes,
          .watchers = watchers,
          .face = face},
      dispatcher(app),
      fleet_(fleet),
      changes_(changes),
      log_(log),
      outages_(fleet.store, fleet.ids, fleet.presence, fleet.directory, config) {
  if (fleet::create_bootstrap_token(fleet, rng, admin_token_file, now)) {
    log.write(LogLevel::info, "bootstrap_token_created",
              [&](JsonWriter& fields) { fields.member("file", admin_token_file); });
  }
  link_audit();
  app.store_answered_at_ms = now.unix_ms;
  keys.count(now);
  feed_syncs.count();
  const auto& key = fleet.signing_key.public_key();
  face.public_key = crypto::to_base64({reinterpret_cast<const char*>(key.data()), key.size()});
}

void Wiring::open(std::string url) {
  face.url = std::move(url);
  app.ready.store(true, std::memory_order_release);
}

template <typename F>
void Wiring::attempt(std::string_view failure, F&& work) {
  try {
    work();
  } catch (const store::StoreError& error) {
    log_.write(LogLevel::error, failure,
               [&](JsonWriter& fields) { fields.member("what", error.what()); });
  }
}

void Wiring::finish_matching(Instant now) {
  attempt("matching_failed", [&] {
    const std::size_t matched = fleet::finish_matching(fleet_.store, fleet_.ids, fleet_.catalogue,
                                                       fleet_.packages, fleet_.nodes.leads(), now);
    if (matched == 0) return;
    log_.write(LogLevel::info, "hosts_matched",
               [&](JsonWriter& fields) { fields.member("hosts", matched); });
  });
}

void Wiring::maintain(Instant now) {
  write_presence([&] { return fleet_.presence.flush_often(fleet_.store, now); });
  merge_presence(now);
  const bool leads = fleet_.nodes.leads();
  attempt("maintenance_failed", [&] {
    feed_syncs.count();
    fleet::keep_sessions(fleet_.store, fleet_.credentials, now);
    if (leads) prune(now);
  });
  rotate_keys(leads, now);
  if (leads) count_findings(now);
  if (leads) delete_loose_blobs(now);
  if (leads) tell_audit_heads(now);
}

void Wiring::prune(Instant now) {
  fleet::end_abandoned_outages(fleet_.store, now);
  fleet::prune_events(fleet_.store, app.config.event_retention(), now);
  fleet::prune_results(fleet_.store, app.config.result_retention(), now);
  fleet::forget_clones(fleet_.store, now);
  fleet::prune_samples(fleet_.store, app.config.sample_retention(), now);
}

void Wiring::watch(Instant now) {
  tell_of_refusals(now);
  if (!fleet_.nodes.leads()) return;
  pass_task_time(now);
  pass_findings(now);
  attempt("watching_failed", [&] {
    const fleet::Noticed noticed = outages_.look(now);
    if (noticed.empty()) return;
    log_.write(LogLevel::info, "presence_changed", [&](JsonWriter& fields) {
      fields.member("outages", noticed.outages)
          .member("groups", noticed.groups)
          .member("returns", noticed.returns)
          .member("group_returns", noticed.group_returns)
          .member("calmed", noticed.calmed);
    });
  });
}

void Wiring::rotate_keys(bool leads, Instant now) {
  attempt("key_rotation_failed", [&] {
    const std::size_t rotated = leads ? keys.rotate(app.config.rotate_keys_after(), now) : 0;
    keys.count(now);
    if (rotated == 0) return;
    log_.write(LogLevel::info, "key_rotations_begun",
               [&](JsonWriter& fields) { fields.member("agents", rotated); });
  });
}

void Wiring::count_findings(Instant now) {
  attempt("finding_count_failed", [&] { fleet::count_finding_day(fleet_.store, now); });
}

void Wiring::delete_loose_blobs(Instant now) {
  attempt("file_deletion_failed", [&] {
    const std::size_t blobs = fleet::delete_loose_blobs(fleet_.store, now);
    if (blobs == 0) return;
    log_.write(LogLevel::info, "files_deleted",
               [&](JsonWriter& fields) { fields.member("files", blobs); });
  });
}

void Wiring::link_audit() {
  const std::size_t linked = fleet::link_earlier_audit(fleet_.store);
  if (linked == 0) return;
  log_.write(LogLevel::info, "audit_linked",
             [&](JsonWriter& fields) { fields.member("rows", linked); });
}

void Wiring::tell_audit_heads(Instant now) {
  attempt("audit_heads_failed", [&] {
    for (const model::AuditHead& head : audit_.look(fleet_.store, now)) {
      log_.write(LogLevel::info, "audit_head", [&](JsonWriter& fields) {
        fields.member("head", model::encode_audit_head(head));
      });
    }
  });
}

void Wiring::pass_task_time(Instant now) {
  attempt("task_pass_failed", [&] { fleet::pass_task_time(fleet_.store, tasks, now); });
}

void Wiring::pass_findings(Instant now) {
  attempt("finding_pass_failed", [&] {
    const std::size_t ended = fleet::pass_acceptance_time(fleet_.store, fleet_.ids, now);
    if (ended > 0) {
      log_.write(LogLevel::info, "acceptances_ended",
                 [&](JsonWriter& fields) { fields.member("acceptances", ended); });
    }
    fleet::watch_feed_age(fleet_.store, fleet_.ids, app.config, now);
  });
}

void Wiring::tell_of_refusals(Instant now) {
  attempt("telling_of_refusals_failed", [&] {
    retired_keys.tell(fleet_.store, fleet_.ids);
    refusals.tell(fleet_.store, fleet_.ids, now);
    refused_sign_ins.tell(fleet_.store, fleet_.ids, now);
  });
}

void Wiring::tell_refused_sign_ins(Instant now) {
  attempt("telling_of_refusals_failed",
          [&] { refused_sign_ins.tell_rest(fleet_.store, fleet_.ids, now); });
}

void Wiring::tell_watchers(Instant now) {
  if (watchers.count() == 0) return watchers.tell(changes_.take(), now);
  try {
    change_tail_.look(fleet_.store, fleet_.nodes, changes_, now);
    look_fails_ = false;
  } catch (const store::StoreError& failure) {
    if (!std::exchange(look_fails_, true)) {
      log_.write(LogLevel::error, "watching_for_changes_failed",
                 [&](JsonWriter& fields) { fields.member("what", failure.what()); });
    }
  }
  change_tail_.look_at_presence(fleet_.presence, app.config, changes_, now);
  watchers.tell(changes_.take(), now);
}

void Wiring::ask_store(Instant now) {
  try {
    (void)fleet::list_feed_ages(fleet_.store, app.config, now);
    app.store_answered_at_ms = now.unix_ms;
    asking_fails_ = false;
  } catch (const store::StoreError& failure) {
    if (std::exchange(asking_fails_, true)) return;
    log_.write(LogLevel::error, "store_does_not_answer",
               [&](JsonWriter& fields) { fields.member("what", failure.what()); });
  }
}

void Wiring::watch_alerts(const std::function<Instant()>& clock,
                          const std::function<bool()>& goes_on) {
  if (!fleet_.nodes.leads()) return;
  try {
    const fleet::AlertPass pass =
        alerts_.look(fleet_.store, fleet_.ids, fleet_.presence, app.config, clock, goes_on);
    if (pass.moved == 0 && pass.late == 0) return;
    log_.write(pass.late == 0 ? LogLevel::info : LogLevel::warning, "alerts_evaluated",
               [&](JsonWriter& fields) {
                 fields.member("alerts", pass.evaluated)
                     .member("failed", pass.failed)
                     .member("moved", pass.moved)
                     .member("late", pass.late);
               });
  } catch (const std::exception& failure) {
    log_.write(LogLevel::error, "alerts_failed",
               [&](JsonWriter& fields) { fields.member("what", failure.what()); });
  }
}

void Wiring::deliver_events(const fleet::WebhookWorld& world) {
  if (!fleet_.nodes.leads()) return;
  try {
    const fleet::WebhookPass pass = fleet::deliver_events(fleet_.store, fleet_.keyed_hash, world);
    if (pass.delivered + pass.failed + pass.given_up == 0) return;
    log_.write(pass.failed == 0 ? LogLevel::info : LogLevel::warning, "webhooks_called",
               [&](JsonWriter& fields) {
                 fields.member("delivered", pass.delivered)
                     .member("failed", pass.failed)
                     .member("given_up", pass.given_up);
               });
  } catch (const std::exception& failure) {
    log_.write(LogLevel::error, "webhooks_failed",
               [&](JsonWriter& fields) { fields.member("what", failure.what()); });
  }
}

void Wiring::merge_presence(Instant now) {
  // Once more when the others are gone: their last rows came after the last look at them.
  if (!fleet_.nodes.had_company()) return;
  // Who was heard of before that is offline whoever heard it.
  const Duration window = fleet_.presence.offline_after(app.config) +
                          2 * std::chrono::seconds(app.config.presence_flush_seconds) +
                          app.config.clock_skew();
  attempt("presence_merge_failed", [&] {
    fleet_.store.read([&](store::Reader& reader) { fleet_.presence.merge(reader, now - window); });
  });
}

void Wiring::flush_presence() {
  write_presence([&] { return fleet_.presence.flush(fleet_.store); });
}

void Wiring::write_presence(const std::function<std::size_t()>& flush) {
  attempt("presence_flush_failed", [&] {
    const std::size_t rows = flush();
    if (rows == 0) return;
    log_.write(LogLevel::info, "presence_flushed",
               [&](JsonWriter& fields) { fields.member("rows", rows); });
  });
}

}  // namespace muster::endpoints
