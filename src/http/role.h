// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace muster::http {

/// What an operator may do, on the whole server. Each role may all that the one before it may;
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

}  // namespace muster::http
