// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"

namespace muster::http {

/// What an operator may do, on the whole server or in an organisation. Each role may all that the
/// one before it may;
/// which routes are whose stands in endpoints/routes.def.
enum class Role : std::uint8_t {
  none,
  read_only,   // sees all but the audit log, operators and secrets
  analyst,     // judges findings: accepts, reopens, says what software is
  operations,  // "operator": gives hosts work, enrols them, reviews their reports
  admin,       // issues keys, publishes programs, sets what hosts do, appoints operators
  owner,       // appoints admins and owners
};
inline constexpr Role roles[] = {Role::read_only, Role::analyst, Role::operations, Role::admin,
                                 Role::owner};

/// "read_only", "analyst", "operator", "admin", "owner"; "none".
std::string_view role_name(Role role);
/// One of `roles`.
std::optional<Role> parse_role(std::string_view name);

/// A role in one organisation.
struct OrgRole {
  OrgId org;
  Role role = Role::none;
};

/// What an operator may do where (docs/adr/0025). A role on the whole server is one in every
/// organisation.
struct Authority {
  Authority(Role role = Role::none, std::shared_ptr<const std::vector<OrgRole>> granted = nullptr)
      : on_server(role), in_orgs(std::move(granted)) {}

  Role on_server;
  std::shared_ptr<const std::vector<OrgRole>> in_orgs;  // one for each; null is none

  /// The higher of what the operator is on the server and in the organisation.
  Role in(OrgId org) const;
  /// The highest that the operator has anywhere.
  Role highest() const;
  /// Organisations in which it has at least that role of its own, in the order of their ids.
  std::vector<OrgId> orgs_with(Role least) const;
};

}  // namespace muster::http
