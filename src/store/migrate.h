// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "store/driver.h"

namespace muster::store {

/// Applies the migrations that `connection`'s database lacks, each in its own transaction; several
/// programs may do so at a time. Throws StoreError for a database that has migrations this program
/// does not know.
void migrate(Connection& connection);

/// What a migration says to one engine: without the lines that are only for another, and with the
/// engine's own words for types that differ.
std::string migration_for(Engine engine, std::string_view text);

}  // namespace muster::store
