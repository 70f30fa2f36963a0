// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json_write.h"
#include "endpoints/app.h"
#include "store/sql/operator_grants.h"

namespace muster::endpoints {

using OrgNames = std::map<OrgId, std::string>;
/// Reads the store.
OrgNames org_names(App& app);

/// The member `grants`: what an operator may do in organisations, with their names.
void write_grants(JsonWriter& json, const std::vector<store::OperatorGrant>& grants,
                  const OrgNames& names);

}  // namespace muster::endpoints
