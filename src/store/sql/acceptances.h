// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "model/acceptance.h"

namespace muster::store {

class Reader;
class Tx;

/// An acceptance as it is stored: one that ended stays until no finding follows it any more.
struct AcceptanceRow {
  model::Acceptance acceptance;
  std::optional<Instant> ended_at;
  bool settled = false;  // every finding that it is about follows it
};
/// Stores an acceptance under its id, or the new terms of one that was there; it is not settled.
void set_acceptance(Tx& tx, const model::Acceptance& acceptance);
std::optional<AcceptanceRow> find_acceptance(Reader& reader, OrgId org, AcceptanceId id);
/// The one, ended or not, of the same scope, subject, package and flaw as `like`.
std::optional<AcceptanceRow> find_acceptance(Reader& reader, const model::Acceptance& like);
/// Ends it, and lets the others about its flaw and package settle again once it has.
void end_acceptance(Tx& tx, OrgId org, AcceptanceId id, Instant now);
void mark_acceptance_settled(Tx& tx, const model::Acceptance& acceptance);
void delete_acceptance(Tx& tx, const model::Acceptance& acceptance);

/// Those that time has ended and nobody yet, the oldest first.
std::vector<AcceptanceRow> list_due_acceptances(Reader& reader, Instant now, int count);
std::vector<AcceptanceRow> list_unsettled_acceptances(Reader& reader, int count);
/// Of all organisations: those about a flaw that was not exploited then.
std::vector<AcceptanceRow> list_acceptances_of_unexploited(Reader& reader, std::string_view flaw);

/// Whether an organisation accepts anything; most do not, and pay for nothing else.
bool has_acceptances(Reader& reader, OrgId org);

/// A flaw of a package that a host has.
struct PackageFlaw {
  PackageId package;
  std::string_view flaw;
};
struct PackageAcceptance {
  PackageId package;
  model::Acceptance acceptance;
};
/// What is accepted of them on one host, by acceptances that have not ended; where the host's own
/// and that of all hosts are about the same, both.
std::vector<PackageAcceptance> list_acceptances_of_packages(Reader& reader, OrgId org, HostId host,
                                                            const std::vector<PackageFlaw>& flaws);
/// What is accepted of an image, by acceptances that have not ended.
std::vector<model::Acceptance> list_acceptances_of_image(Reader& reader, OrgId org,
                                                         std::string_view identity);

/// Lets open findings that `acceptance` is about follow it, at most `count`; returns how many.
std::int64_t accept_findings(Tx& tx, const model::Acceptance& acceptance, int count);
/// Opens findings that follow it, at most `count`; returns how many.
std::int64_t reopen_findings(Tx& tx, const model::Acceptance& acceptance, int count);
/// How many findings follow it.
std::int64_t count_accepted_findings(Reader& reader, const model::Acceptance& acceptance);

}  // namespace muster::store
