// SPDX-License-Identifier: Apache-2.0
#include "http/role.h"

#include <algorithm>

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

Role Authority::in(OrgId org) const {
  Role role = on_server;
  if (!in_orgs) return role;
  for (const OrgRole& own : *in_orgs) {
    if (own.org == org) role = std::max(role, own.role);
  }
  return role;
}

Role Authority::highest() const {
  Role role = on_server;
  if (!in_orgs) return role;
  for (const OrgRole& own : *in_orgs) role = std::max(role, own.role);
  return role;
}

std::vector<OrgId> Authority::orgs_with(Role least) const {
  std::vector<OrgId> orgs;
  if (!in_orgs) return orgs;
  for (const OrgRole& own : *in_orgs) {
    if (own.role >= least) orgs.push_back(own.org);
  }
  std::sort(orgs.begin(), orgs.end());
  return orgs;
}

}  // namespace muster::http
