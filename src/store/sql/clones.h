// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace muster::store {

class Reader;
class Tx;

/// An agent whose key two machines use. Of each, what was last known; the older booted first.
struct CloneRow {
  OrgId org;
  AgentId agent;
  Instant detected_at;
  Instant confirmed_at;  // when both were last seen in turn
  std::string older_hostname;
  std::string older_address;
  std::string newer_hostname;
  std::string newer_address;
  std::int64_t older_boot = 0;  // Unix time at which it booted; 0 is not known
  std::int64_t newer_boot = 0;
  std::optional<AgentId> split_agent = std::nullopt;  // who the newer is to become
};
std::optional<CloneRow> find_clone(Reader& reader, OrgId org, AgentId agent);
/// The one that is split into `split_agent`, and all that are split.
std::optional<CloneRow> find_split(Reader& reader, OrgId org, AgentId split_agent);
std::vector<CloneRow> list_splits(Reader& reader);
/// Inserts it, or rewrites all but detected_at and split_agent.
void set_clone(Tx& tx, const CloneRow& row);
void set_clone_split(Tx& tx, OrgId org, AgentId agent, std::optional<AgentId> split_agent);
void delete_clone(Tx& tx, OrgId org, AgentId agent);
/// Whether there is one confirmed before `confirmed_before` and not split.
bool has_old_clones(Reader& reader, Instant confirmed_before);
/// Returns how many.
std::int64_t delete_old_clones(Tx& tx, Instant confirmed_before);

}  // namespace muster::store
