// SPDX-License-Identifier: Apache-2.0
#include "fleet/acceptances.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/limits.h"
#include "base/text.h"
#include "store/sql/acceptances.h"
#include "store/sql/findings.h"
#include "store/sql/images.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

using model::Acceptance;
using model::AcceptanceEnd;
using model::AcceptanceScope;
using model::FindingStatus;

/// A finding of a host or of an image, as far as an acceptance is about it.
struct Subject {
  Acceptance as_accepted;  // its own host or image only
  FindingStatus status = FindingStatus::open;
  std::optional<AcceptanceId> follows;
};

std::optional<Subject> find_subject(store::Reader& reader, FindingId id) {
  Subject subject;
  Acceptance& accepted = subject.as_accepted;
  if (const auto view = store::find_finding(reader, id)) {
    accepted.org = view->finding.org;
    accepted.scope = AcceptanceScope::host;
    accepted.subject = std::to_string(view->finding.host.value);
    accepted.package = view->package.name;
    accepted.flaw = view->finding.flaw();
    accepted.severity = view->finding.severity;
    accepted.known_exploited = view->finding.known_exploited;
    subject.status = view->finding.status;
    subject.follows = view->finding.acceptance;
    return subject;
  }
  const auto view = store::find_image_finding(reader, id);
  if (!view) return std::nullopt;
  const auto image = store::find_image(reader, view->finding.image);
  CHECK(image.has_value());
  accepted.org = view->finding.org;
  accepted.scope = AcceptanceScope::image;
  accepted.subject = image->identity;
  accepted.package = view->finding.package;
  accepted.flaw = view->finding.cve.value_or(view->finding.advisory_id);
  accepted.severity = view->finding.severity;
  accepted.known_exploited = view->known_exploited;
  subject.status = view->finding.status;
  subject.follows = view->finding.acceptance;
  return subject;
}

std::optional<HostId> host_of(const Acceptance& acceptance) {
  if (acceptance.scope != AcceptanceScope::host) return std::nullopt;
  return HostId{parse_int(acceptance.subject).value_or(0)};
}

/// What events and the audit log say of one.
void write_terms(JsonWriter& json, const Acceptance& acceptance) {
  json.member("acceptance_id", acceptance.id)
      .member("scope", model::acceptance_scope_name(acceptance.scope))
      .member("subject", acceptance.subject)
      .member("package", acceptance.package)
      .member("flaw", acceptance.flaw)
      .member("reason", acceptance.reason)
      .member("accepted_by", acceptance.accepted_by)
      .member("until", acceptance.ends_at);
}

/// Lets some findings follow what an acceptance says, or its end. Returns whether it is settled.
bool settle(store::Tx& tx, const store::AcceptanceRow& row) {
  constexpr int most = limits::acceptance_rows;
  const Acceptance& acceptance = row.acceptance;
  if (row.ended_at) {
    if (store::reopen_findings(tx, acceptance, most) == most) return false;
    store::delete_acceptance(tx, acceptance);
    return true;
  }
  if (store::accept_findings(tx, acceptance, most) == most) return false;
  store::mark_acceptance_settled(tx, acceptance);
  return true;
}

/// Settles an acceptance some findings at a time, so that agents' writes go on in between.
void settle_whole(store::Store& store, OrgId org, AcceptanceId id) {
  for (bool done = false; !done;) {
    done = store.write([&](store::Tx& tx) {
      const auto row = store::find_acceptance(tx, org, id);
      return !row || row->settled || settle(tx, *row);
    });
  }
}

void end(store::Tx& tx, NumberIds& ids, const Acceptance& acceptance, AcceptanceEnd why,
         Instant now) {
  store::end_acceptance(tx, acceptance.org, acceptance.id, now);
  record_event(
      tx, ids, acceptance.org, model::EventType::acceptance_ended, std::nullopt,
      host_of(acceptance),
      [&](JsonWriter& details) {
        write_terms(details, acceptance);
        details.member("why", model::acceptance_end_name(why));
      },
      now);
}

/// What a finding is about to be, as far as an acceptance asks.
struct Asked {
  std::string_view flaw;
  model::Severity severity;
  std::optional<bool> known_exploited;  // none: not known here
  std::optional<AcceptanceId> followed;
};

/// Decides for the findings of one host or image, and ends an acceptance that is broken once.
class Decisions {
 public:
  Decisions(store::Tx& tx, NumberIds& ids, Instant now) : tx_(tx), ids_(ids), now_(now) {}

  /// The acceptance among those of the finding's package that it follows; the host's or image's own
  /// before that of all.
  std::optional<AcceptanceId> decide(const std::vector<Acceptance>& of_package,
                                     const Asked& asked) {
    std::optional<AcceptanceId> follows;
    for (const Acceptance& acceptance : of_package) {
      if (acceptance.flaw != asked.flaw || ended_.contains(acceptance.id)) continue;
      const auto why =
          model::end_of(acceptance, asked.severity,
                        asked.known_exploited.value_or(acceptance.known_exploited), now_);
      if (!why) {
        if (!follows || !acceptance.subject.empty()) follows = acceptance.id;
        continue;
      }
      // What time ends is the pass's, and a graver flaw elsewhere is not this one grown.
      const bool grown = *why == AcceptanceEnd::became_exploited ||
                         (*why == AcceptanceEnd::severity_rose && asked.followed == acceptance.id);
      if (!grown) continue;
      end(tx_, ids_, acceptance, *why, now_);
      ended_.insert(acceptance.id);
    }
    return follows;
  }

 private:
  store::Tx& tx_;
  NumberIds& ids_;
  Instant now_;
  std::unordered_set<AcceptanceId> ended_;
};

Result<Subject> find_standing(store::Reader& reader, FindingId id) {
  auto subject = find_subject(reader, id);
  if (!subject) return Error{Errc::not_found, "There is no such finding."};
  if (subject->status == FindingStatus::resolved) {
    return Error{Errc::illegal_transition, "The finding is resolved."};
  }
  return std::move(*subject);
}

}  // namespace

Result<AcceptanceOutcome> record_acceptance(store::Tx& tx, NumberIds& ids, const Actor& actor,
                                            const AcceptanceOrder& order, Instant now) {
  if (order.ends_at && *order.ends_at <= now) {
    return invalid_field("until", "must be a time to come");
  }
  Acceptance accepted = TRY(find_standing(tx, order.finding)).as_accepted;
  if (order.everywhere) {
    const bool image = accepted.scope == AcceptanceScope::image;
    accepted.scope = image ? AcceptanceScope::images : AcceptanceScope::hosts;
    accepted.subject.clear();
  }
  const auto former = store::find_acceptance(tx, accepted);
  accepted.id = former ? former->acceptance.id : ids.next<AcceptanceId>(now);
  accepted.reason = order.reason;
  accepted.accepted_by = actor.text;
  accepted.accepted_at = now;
  accepted.ends_at = order.ends_at;
  store::set_acceptance(tx, accepted);
  const auto details = [&](JsonWriter& json) { write_terms(json, accepted); };
  record_audit(tx, ids, accepted.org, actor, "findings.accept", std::to_string(order.finding.value),
               details, now);
  record_event(tx, ids, accepted.org, model::EventType::finding_accepted, std::nullopt,
               host_of(accepted), details, now);
  settle(tx, {accepted, std::nullopt, false});
  return AcceptanceOutcome{accepted, store::count_accepted_findings(tx, accepted)};
}

Result<AcceptanceOutcome> record_reopening(store::Tx& tx, NumberIds& ids, const Actor& actor,
                                           FindingId finding, Instant now) {
  const Subject subject = TRY(find_standing(tx, finding));
  const auto row = subject.follows
                       ? store::find_acceptance(tx, subject.as_accepted.org, *subject.follows)
                       : std::nullopt;
  if (!row) return Error{Errc::illegal_transition, "The finding is not accepted."};
  const Acceptance& acceptance = row->acceptance;
  const std::int64_t findings = store::count_accepted_findings(tx, acceptance);
  record_audit(
      tx, ids, acceptance.org, actor, "findings.reopen", std::to_string(finding.value),
      [&](JsonWriter& json) { write_terms(json, acceptance); }, now);
  end(tx, ids, acceptance, AcceptanceEnd::reopened, now);
  settle(tx, {acceptance, now, false});
  return AcceptanceOutcome{acceptance, findings};
}

Result<AcceptanceOutcome> accept_finding(store::Store& store, NumberIds& ids, const Actor& actor,
                                         const AcceptanceOrder& order, Instant now) {
  AcceptanceOutcome outcome = TRY(
      store.write([&](store::Tx& tx) { return record_acceptance(tx, ids, actor, order, now); }));
  settle_whole(store, outcome.acceptance.org, outcome.acceptance.id);
  outcome.findings = store.read([&](store::Reader& reader) {
    return store::count_accepted_findings(reader, outcome.acceptance);
  });
  return outcome;
}

Result<AcceptanceOutcome> reopen_finding(store::Store& store, NumberIds& ids, const Actor& actor,
                                         FindingId finding, Instant now) {
  AcceptanceOutcome outcome = TRY(
      store.write([&](store::Tx& tx) { return record_reopening(tx, ids, actor, finding, now); }));
  settle_whole(store, outcome.acceptance.org, outcome.acceptance.id);
  return outcome;
}

std::size_t pass_acceptance_time(store::Store& store, NumberIds& ids, Instant now) {
  constexpr int most = limits::acceptances_per_pass;
  const auto due = store.read(
      [&](store::Reader& reader) { return store::list_due_acceptances(reader, now, most); });
  if (!due.empty()) {
    store.write([&](store::Tx& tx) {
      for (const store::AcceptanceRow& row : due) {
        // It may have been renewed meanwhile.
        const auto still = store::find_acceptance(tx, row.acceptance.org, row.acceptance.id);
        if (!still || still->ended_at ||
            still->acceptance.ends_at.value_or(now + Duration(1)) > now) {
          continue;
        }
        end(tx, ids, still->acceptance, AcceptanceEnd::expired, now);
      }
    });
  }
  const auto unsettled = store.read(
      [&](store::Reader& reader) { return store::list_unsettled_acceptances(reader, most); });
  for (const store::AcceptanceRow& row : unsettled) {
    settle_whole(store, row.acceptance.org, row.acceptance.id);
  }
  return due.size();
}

void end_acceptances_of_exploited(store::Tx& tx, NumberIds& ids, std::string_view cve,
                                  Instant now) {
  for (const store::AcceptanceRow& row : store::list_acceptances_of_unexploited(tx, cve)) {
    end(tx, ids, row.acceptance, AcceptanceEnd::became_exploited, now);
    settle(tx, {row.acceptance, now, false});
  }
}

void settle_findings(store::Tx& tx, NumberIds& ids, OrgId org, HostId host,
                     std::vector<model::Finding>& findings, Instant now) {
  std::unordered_map<PackageId, std::vector<Acceptance>> accepted;
  if (!findings.empty() && store::has_acceptances(tx, org)) {
    std::vector<store::PackageFlaw> flaws;
    flaws.reserve(findings.size());
    for (const model::Finding& each : findings) flaws.push_back({each.package, each.flaw()});
    for (auto& each : store::list_acceptances_of_packages(tx, org, host, flaws)) {
      accepted[each.package].push_back(std::move(each.acceptance));
    }
  }
  Decisions decisions(tx, ids, now);
  for (model::Finding& finding : findings) {
    const auto followed = std::exchange(finding.acceptance, std::nullopt);
    const auto of_package = accepted.find(finding.package);
    if (of_package != accepted.end()) {
      finding.acceptance =
          decisions.decide(of_package->second,
                           {finding.flaw(), finding.severity, finding.known_exploited, followed});
    }
    finding.status = finding.acceptance ? FindingStatus::accepted : FindingStatus::open;
  }
}

void settle_image_findings(store::Tx& tx, NumberIds& ids, OrgId org, std::string_view identity,
                           const std::vector<store::ImageFinding>& standing,
                           std::vector<store::ImageFinding>& findings, Instant now) {
  if (findings.empty() || !store::has_acceptances(tx, org)) return;
  std::unordered_map<std::string, std::vector<Acceptance>> accepted;
  for (Acceptance& each : store::list_acceptances_of_image(tx, org, identity)) {
    accepted[each.package].push_back(std::move(each));
  }
  Decisions decisions(tx, ids, now);
  for (store::ImageFinding& finding : findings) {
    const auto of_package = accepted.find(finding.package);
    if (finding.status == FindingStatus::resolved || of_package == accepted.end()) continue;
    const auto former =
        std::find_if(standing.begin(), standing.end(),
                     [&](const store::ImageFinding& each) { return each.id == finding.id; });
    finding.acceptance =
        decisions.decide(of_package->second,
                         {finding.cve.value_or(finding.advisory_id), finding.severity, std::nullopt,
                          former == standing.end() ? std::nullopt : former->acceptance});
    if (finding.acceptance) finding.status = FindingStatus::accepted;
  }
}

}  // namespace muster::fleet
