// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "base/json_read.h"
#include "endpoints/app.h"
#include "fleet/host_directory.h"
#include "fleet/inventory.h"
#include "fleet/set_hashes.h"
#include "fleet/settings.h"
#include "http/request.h"
#include "model/set_hash.h"

namespace muster::endpoints {

/// What reports are stored with.
fleet::Inventory inventory_of(App& app);

/// The host that an inventory call is about: an enrolled agent's own, else the one that it names.
std::optional<fleet::HostDirectory::Known> named_host(const App& app, const http::Request& request,
                                                      std::string_view machine_id,
                                                      std::string_view hostname);

/// What is said of a host that there is not.
Error unknown_host();

/// What a caller is told about its reporting on `host`: the settings in force, and a full report
/// that is due by its age.
fleet::HostSettings settings_for(const App& app, const http::Request& request,
                                 const fleet::HostDirectory::Known& host);

/// fleet::check_told_set, counted.
bool record_told_set(App& app, store::Tx& tx, const fleet::Teller& teller,
                     const model::SetHash& said, Instant now);

/// An optional member that is a hash of a set.
std::optional<model::SetHash> optional_set_hash(Fields& fields, std::string_view name);

}  // namespace muster::endpoints
