// SPDX-License-Identifier: Apache-2.0
#include "endpoints/server/doctor.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/limits.h"
#include "endpoints/app.h"
#include "fleet/catalogue.h"
#include "fleet/credentials.h"
#include "fleet/feed_age.h"
#include "fleet/key_schedule.h"
#include "fleet/oidc_provider.h"
#include "fleet/refusals.h"
#include "fleet/watchers.h"
#include "store/store.h"

namespace muster::endpoints {

namespace {

using State = Check::State;

struct Advice {
  std::string_view budget;
  std::string_view text;
};

constexpr Advice advices[] = {
    {"connections",
     "Raise LimitNOFILE of the service (each agent keeps a connection), or add a server."},
    {"reads", "Operators' lists and large reports wait for a worker: see who asks so often."},
    {"readers",
     "Operators' lists wait for the database: see who asks so often, or why it is slow."},
    {"slow",
     "Imports, uploads and revocations wait for one another: see which operators send many."},
    {"bodies",
     "Many large reports, results or uploads at once: see who sends them, and how slowly."},
    {"streams", "Many downloads at once: spread a release over more time."},
    {"stranger_streams",
     "Many callers without a key download at once: see their addresses; agents are not affected."},
    {"watchers",
     "Many consoles are open at once; those beyond the bound read again every half minute."},
    {"writes",
     "The disk takes commits too slowly: see what else writes to it, or use a faster one."},
    {"waiting_writes",
     "More is written than the disk takes: see who sends so much, or use a faster disk."},
    {"memory", "Give the server more memory, or let fewer agents connect to it."},
    {"disk",
     "Make room, or keep less: [history], and muster hosts delete for hosts that are no more."},
};

std::string_view advice_for(std::string_view budget) {
  const auto found = std::find_if(std::begin(advices), std::end(advices),
                                  [&](const Advice& each) { return each.budget == budget; });
  return found == std::end(advices) ? std::string_view() : found->text;
}

std::string amount(std::uint64_t value, std::string_view unit) {
  if (unit != "bytes") return std::to_string(value);
  constexpr double gib = 1024.0 * 1024 * 1024;
  const auto bytes = static_cast<double>(value);
  return bytes >= gib ? fmt::format("{:.1f} GiB", bytes / gib)
                      : fmt::format("{:.0f} MiB", bytes / (1024 * 1024));
}

Check check_budget(const Budget& budget) {
  Check check{std::string(budget.name), state_of(budget), {}, {}};
  check.found =
      fmt::format("{} of {}", amount(budget.used, budget.unit), amount(budget.limit, budget.unit));
  if (budget.most > budget.used) {
    check.found += fmt::format(", {} at most", amount(budget.most, budget.unit));
  }
  if (check.state != State::fine) check.advice = advice_for(budget.name);
  return check;
}

Check check_certificate(std::int64_t expires_at_seconds, Instant now) {
  const std::int64_t left = expires_at_seconds - now.unix_ms / 1000;
  const auto warned = std::chrono::duration_cast<std::chrono::seconds>(limits::certificate_warning);
  Check check{"certificate", State::fine, fmt::format("expires in {} days", left / 86400), {}};
  if (left < warned.count()) check.state = left <= 0 ? State::over : State::near;
  if (left <= 0) check.found = "has expired";
  if (check.state != State::fine)
    check.advice = "Renew it, then send SIGHUP: agents refuse an old one.";
  return check;
}

Check check_feeds(const App& app, Instant now) {
  Check check{"feeds", State::fine, "all are as new as [feeds] asks", {}};
  std::string stale;
  const auto ages = fleet::feed_ages(app.catalogue.current()->feeds, app.config, now);
  for (const fleet::FeedAge& age : ages) {
    if (age.stale) stale.append(stale.empty() ? "" : ", ").append(feeds::feed_name(age.kind));
  }
  const bool none = std::none_of(ages.begin(), ages.end(), [](const fleet::FeedAge& age) {
    return age.imported_at.has_value();
  });
  if (none || !stale.empty()) {
    check = {"feeds", State::over, none ? "none was imported" : "old: " + stale,
             "muster feeds sync, or muster feeds import: findings are as old as their feeds."};
  }
  return check;
}

Check check_clock(bool synchronised) {
  if (synchronised) return {"clock", State::fine, "synchronised", {}};
  return {"clock", State::near, "not synchronised",
          "Run chrony or systemd-timesyncd: agents whose clock differs are refused."};
}

Check check_agent_clocks(std::uint64_t skewed) {
  if (skewed == 0) return {"agents' clocks", State::fine, "no agent is refused for its clock", {}};
  return {"agents' clocks", State::near,
          fmt::format("{} agents are refused for their clock", skewed),
          "muster events list --type clock_skewed names them."};
}

Check check_keys(std::int64_t overdue) {
  if (overdue == 0) return {"agents' keys", State::fine, "every new key was adopted in time", {}};
  return {"agents' keys", State::near,
          fmt::format("{} agents have not adopted a key for seven days", overdue),
          "They work on with their old keys; muster agents list shows when they last called."};
}

/// An owner who is lost appoints nobody: the last one is told while its token is good still.
Check check_owners(const App& app, Instant now) {
  constexpr Duration warned = std::chrono::hours(24 * 14);
  std::optional<Duration> left;
  const auto look = [&](const crypto::KeyHash&, const fleet::OperatorCredential& entry) {
    if (entry.role != http::Role::owner) return;
    const Duration own = entry.expires_at ? *entry.expires_at - now : Duration::max();
    left = std::max(left.value_or(Duration::min()), own);
  };
  app.credentials.operators.for_each(look);
  if (!left || *left <= Duration(0)) {
    return {"owners", State::over, "no owner's token is good any more",
            "muster operators create --role owner --data DIR on the server's machine."};
  }
  Check check{"owners", State::fine, "an owner's token never ends", {}};
  if (*left == Duration::max()) return check;
  check.found = fmt::format("the last owner's token ends in {} days",
                            std::chrono::duration_cast<std::chrono::hours>(*left).count() / 24);
  if (*left < warned) {
    check.state = State::near;
    check.advice = "muster operators renew ID: without an owner nobody appoints another.";
  }
  return check;
}

Check check_single_sign_on(const App& app, Instant now) {
  if (const auto failure = app.oidc.last_failure(now)) {
    return {"single sign-on", State::near, *failure,
            "Operators sign in by other ways; docs/reference/single-sign-on.md says what to do."};
  }
  return {"single sign-on", State::fine, "no failure within a day", {}};
}

}  // namespace

std::string_view check_state_name(Check::State state) {
  switch (state) {
    case State::fine:
      return "fine";
    case State::near:
      return "near";
    case State::over:
      return "over";
  }
  check_failed("a known state", __FILE__, __LINE__);
}

Check::State state_of(const Budget& budget) {
  const std::uint64_t used = std::max(budget.used, budget.most);
  if (budget.limit == 0) return State::fine;
  if (used * 100 >= budget.limit * 95) return State::over;
  return used * 100 >= budget.limit * 80 ? State::near : State::fine;
}

std::vector<Budget> budgets(const App& app) {
  std::vector<Budget> all;
  const store::Store::Figures store = app.store.figures();
  all.push_back({"writes", "requests", store.writes_in_flight, store.most_in_flight,
                 limits::writes_in_flight});
  all.push_back({"readers", "connections", store.readers_in_use, store.readers_in_use,
                 limits::store_readers});
  all.push_back({"watchers", "streams", app.watchers.count(), app.watchers.most(),
                 fleet::Watchers::watchers_max});
  if (!app.machine_use) return all;
  const MachineUse use = app.machine_use();
  const auto add_places = [&](std::string_view name, std::string_view unit,
                              const http::Places& places) {
    all.push_back({name, unit, places.taken, std::max(places.taken, places.most), places.max});
  };
  add_places("connections", "connections", use.transport.connections);
  add_places("reads", "requests", use.transport.reads);
  add_places("slow", "requests", use.transport.slow);
  add_places("bodies", "bytes", use.transport.bodies);
  add_places("waiting_writes", "bytes", use.transport.waiting_writes);
  add_places("streams", "answers", use.transport.streams);
  add_places("stranger_streams", "answers", use.transport.stranger_streams);
  if (use.memory_bytes) {
    all.push_back({"memory", "bytes", *use.memory_bytes, *use.memory_bytes, use.memory_max_bytes});
  }
  if (use.disk_free_bytes) {
    const std::uint64_t taken = use.disk_bytes - std::min(use.disk_bytes, *use.disk_free_bytes);
    all.push_back({"disk", "bytes", taken, taken, use.disk_bytes});
  }
  return all;
}

std::vector<Check> check_server(const App& app, Instant now) {
  std::vector<Check> checks;
  for (const Budget& budget : budgets(app)) checks.push_back(check_budget(budget));
  if (const auto expires_at = app.face.certificate_expires_at_seconds.load(); expires_at != 0) {
    checks.push_back(check_certificate(expires_at, now));
  }
  checks.push_back(check_feeds(app, now));
  if (app.machine_use) {
    if (const auto clock = app.machine_use().clock_is_synchronised) {
      checks.push_back(check_clock(*clock));
    }
  }
  checks.push_back(check_agent_clocks(app.refusals.skewed()));
  checks.push_back(check_keys(app.keys.numbers().overdue));
  checks.push_back(check_owners(app, now));
  if (app.oidc.is_set()) checks.push_back(check_single_sign_on(app, now));
  return checks;
}

}  // namespace muster::endpoints
