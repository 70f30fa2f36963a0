// SPDX-License-Identifier: Apache-2.0
#include "http/role.h"

namespace muster::http {

std::string_view role_name(Role role) {
  switch (role) {
    case Role::none:
      return "none";
    case Role::read_only:
      return "read_only";
    case Role::analyst:
      return "analyst";
    case Role::operations:
      return "operator";
    case Role::admin:
      return "admin";
    case Role::owner:
      return "owner";
  }
  return "none";
}

std::optional<Role> parse_role(std::string_view name) {
  for (const Role role : roles) {
    if (role_name(role) == name) return role;
  }
  return std::nullopt;
}

}  // namespace muster::http
