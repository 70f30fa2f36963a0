// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json_write.h"
#include "endpoints/app.h"
#include "fleet/operator_names.h"
#include "store/sql/operator_grants.h"

namespace muster::endpoints {

using OrgNames = std::map<OrgId, std::string>;
/// Reads the store.
OrgNames org_names(App& app);

/// The member `grants`: what an operator may do in organisations, with the names of these and of
/// who granted it.
void write_grants(JsonWriter& json, const std::vector<store::OperatorGrant>& grants,
                  const OrgNames& names, fleet::OperatorNames& people);

}  // namespace muster::endpoints
