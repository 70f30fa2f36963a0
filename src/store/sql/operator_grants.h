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

/// That an operator has a role in an organisation.
struct OperatorGrant {
  OrgId org;
  OperatorId operator_id;
  std::string role;  // name of an http::Role
  Instant granted_at;
  std::string granted_by;  // as the audit log names who did it
};

/// Replaces what the operator was granted in the organisation before.
void set_operator_grant(Tx& tx, const OperatorGrant& grant);
/// False when there is none.
bool delete_operator_grant(Tx& tx, OrgId org, OperatorId id);
std::optional<OperatorGrant> find_operator_grant(Reader& reader, OrgId org, OperatorId id);
/// Of one operator, in the order of organisations.
std::vector<OperatorGrant> list_grants_of_operator(Reader& reader, OperatorId id);
/// All of them, in the order of operators, then of organisations.
std::vector<OperatorGrant> list_operator_grants(Reader& reader);

}  // namespace muster::store
