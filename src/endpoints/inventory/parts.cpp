// SPDX-License-Identifier: Apache-2.0
#include "endpoints/inventory/parts.h"

#include "base/limits.h"

namespace muster::endpoints {

fleet::Inventory inventory_of(App& app) {
  return {app.config,   app.ids,       app.catalogue, app.packages,
          app.presence, app.directory, app.settings,  app.marks};
}

std::optional<fleet::HostDirectory::Known> named_host(const App& app, const http::Request& request,
                                                      std::string_view machine_id,
                                                      std::string_view hostname) {
  if (request.caller.kind == http::Caller::Kind::agent) {
    return app.directory.find(request.caller.host);
  }
  return app.directory.find(request.caller.org, machine_id, hostname);
}

Error unknown_host() {
  return {Errc::unknown_host, "Asset not found. Send full inventory first."};
}

fleet::HostSettings settings_for(const App& app, const http::Request& request,
                                 const fleet::HostDirectory::Known& host) {
  const http::Caller& caller = request.caller;
  fleet::HostSettings settings = app.settings.of_host(caller.org, host.id, host.tags);
  const bool by_agent = caller.kind == http::Caller::Kind::agent;
  const auto reporter = by_agent ? std::optional(caller.agent) : std::nullopt;
  if (app.marks.full_is_due(host.id, reporter, app.config, request.now)) {
    settings.force_full_scan = true;
  }
  return settings;
}

bool record_told_set(App& app, store::Tx& tx, const fleet::Teller& teller,
                     const model::SetHash& said, Instant now) {
  const bool drifted = fleet::check_told_set(tx, inventory_of(app), teller, said, now);
  if (drifted) app.counters.software_drifts.fetch_add(1, std::memory_order_relaxed);
  return drifted;
}

std::optional<model::SetHash> optional_set_hash(Fields& fields, std::string_view name) {
  const auto text = fields.optional_text(name, limits::key_bytes);
  if (!text) return std::nullopt;
  auto hash = model::parse_set_hash(*text);
  if (!hash) fields.fail(name, "must be 64 hexadecimal digits");
  return hash;
}

}  // namespace muster::endpoints
