// SPDX-License-Identifier: Apache-2.0
#include "base/json_write.h"
#include "base/text.h"
#include "endpoints/app.h"
#include "endpoints/decode.h"
#include "endpoints/dialect.h"
#include "endpoints/inventory/parts.h"
#include "endpoints/inventory/runtime.h"
#include "fleet/inventory.h"
#include "fleet/key_uses.h"
#include "fleet/set_hashes.h"
#include "http/response.h"

namespace muster::endpoints {

namespace {

/// What the body says beyond what is stored.
struct Received {
  fleet::InventoryReport report;
  ReceivedRuntime runtime;
  std::int64_t items = 0;    // in the lists that were read
  std::int64_t skipped = 0;  // products that do not say what they are, or not in plain text
};

Error item_error(std::string_view list, std::size_t index, std::string_view member,
                 std::string_view what, Errc code = Errc::invalid_field) {
  std::string field = std::string(list) + "[" + std::to_string(index) + "]";
  if (!member.empty()) field += "." + std::string(member);
  std::string message = field + ": " + std::string(what);
  return {code, std::move(message), std::move(field)};
}

/// One item of a software list. Members are found in one pass over the object: a report has
/// hundreds of items, and looking each of eight names up in turn would cost more than parsing.
class ItemReader {
 public:
  ItemReader(std::string_view list, bool fielded, std::string_view distro)
      : list_(list), fielded_(fielded), distro_(distro) {}

  /// Adds the item to `packages`. False for a fielded item that is to be skipped: it names no
  /// product, or has a text that cannot be taken. Its agent gives all of a refused report up.
  Result<bool> take(const Json& item, std::size_t index, fleet::PackageList& packages) {
    if (!item.is_object()) return item_error(list_, index, "", "must be an object");
    fleet::PackageList::View view;
    std::string_view full_version;
    std::optional<Error> failure;
    bool unfit = false;
    item.for_each_member([&](std::string_view name, const Json& value) {
      if (failure || unfit || value.is_null()) return;
      const Member* member = find_member(name);
      if (member == nullptr) return;
      const auto said = value.string();
      if (!said) {
        if (!fielded_) failure = item_error(list_, index, name, "must be a string");
        return;
      }
      const std::string_view text = trim(*said);
      const bool too_long = text.size() > member->bytes_max;
      if (too_long || !is_plain_text(text)) {
        unfit = true;
        if (fielded_) return;
        failure =
            item_error(list_, index, name,
                       too_long ? "is longer than " + std::to_string(member->bytes_max) + " bytes"
                                : "contains control characters");
      } else if (member->target != nullptr) {
        view.*member->target = text;
      } else if (name == "ecosystem") {
        view.ecosystem = model::parse_ecosystem(text);
      } else {
        full_version = text;
      }
    });
    if (failure) return *failure;
    if (unfit) return false;
    if (!full_version.empty()) view.version = full_version;
    if (view.name.empty()) {
      if (fielded_) return false;
      return item_error(list_, index, "name", "is required", Errc::missing_field);
    }
    if (view.version.empty() && !fielded_) {
      return item_error(list_, index, "version", "is required", Errc::missing_field);
    }
    std::string canonical;
    if (view.distro.empty()) {
      if (model::is_of_distribution(view.ecosystem)) view.distro = distro_;
    } else if (view.distro != distro_) {
      canonical = model::canonical_distro(view.distro);
      view.distro = canonical;
    }
    packages.add(view);
    return true;
  }

 private:
  struct Member {
    std::string_view name;
    std::size_t bytes_max;
    std::string_view fleet::PackageList::View::*target;  // none: handled by name
  };

  const Member* find_member(std::string_view name) const {
    using View = fleet::PackageList::View;
    static constexpr Member members[] = {
        {"version", limits::version_bytes, &View::version},
        {"vendor", limits::vendor_bytes, &View::vendor},
        {"ecosystem", limits::name_bytes, nullptr},
        {"distro", limits::name_bytes, &View::distro},
        {"source_name", limits::name_bytes, &View::source_name},
        {"source_version", limits::version_bytes, &View::source_version},
        {"arch", limits::name_bytes, &View::arch},
        {"cpe", limits::cpe_bytes, &View::cpe},
    };
    static constexpr Member own_name = {"name", limits::name_bytes, &View::name};
    static constexpr Member fielded_name = {"product", limits::name_bytes, &View::name};
    static constexpr Member fielded_version = {"distro_package_version", limits::version_bytes,
                                               nullptr};
    const Member& the_name = fielded_ ? fielded_name : own_name;
    if (name == the_name.name) return &the_name;
    for (const Member& member : members) {
      if (name == member.name) return &member;
    }
    return fielded_ && name == fielded_version.name ? &fielded_version : nullptr;
  }

  std::string_view list_;
  bool fielded_;
  std::string_view distro_;
};

Result<void> take_list(Fields& fields, std::string_view name, bool fielded, Received& received) {
  const auto list = fields.optional_array(name, limits::software_items);
  TRY(fields.finish());
  if (!list) return {};
  ItemReader reader(name, fielded, received.report.distro);
  std::optional<Error> failure;
  std::size_t index = 0;
  list->for_each([&](const Json& item) {
    if (failure) return;
    const Result<bool> taken = reader.take(item, index++, received.report.packages);
    if (!taken.ok()) {
      failure = taken.error();
    } else if (!*taken) {
      ++received.skipped;
    }
  });
  if (failure) return *failure;
  received.items += static_cast<std::int64_t>(index);
  return {};
}

Result<void> take_removals(Fields& fields, Received& received) {
  const auto list = fields.optional_array("software_removed", limits::software_items);
  TRY(fields.finish());
  if (!list) return {};
  std::optional<Error> failure;
  std::size_t index = 0;
  list->for_each([&](const Json& item) {
    if (failure) return;
    Fields removed(item, "software_removed[" + std::to_string(index++) + "]");
    fleet::InventoryReport::Removal removal;
    removal.name = removed.text("name", limits::name_bytes);
    removal.version = removed.optional_text("version", limits::version_bytes);
    removal.vendor = removed.optional_text("vendor", limits::vendor_bytes);
    if (const Result<void> valid = removed.finish(); !valid.ok()) {
      failure = valid.error();
      return;
    }
    received.report.removals.push_back(std::move(removal));
  });
  if (failure) return *failure;
  received.items += static_cast<std::int64_t>(index);
  return {};
}

/// `os` is text in the seed and an object in the field.
void take_os(Fields& fields, const Json& body, fleet::InventoryReport& report) {
  const auto os = body.find("os");
  if (os && os->is_object()) {
    Fields facts(*os, "os");
    report.os_name = facts.optional_text("name", limits::os_bytes).value_or("");
    report.os_version = facts.optional_text("version", limits::os_bytes).value_or("");
    report.os_kernel = facts.optional_text("kernel", limits::os_bytes).value_or("");
    if (const Result<void> valid = facts.finish(); !valid.ok()) {
      fields.fail("os", "has a member that is no plain text");
    }
  } else {
    report.os_name = fields.optional_text("os", limits::os_bytes).value_or("");
  }
  report.distro = model::distro_of_os(report.os_name, report.os_version);
}

void take_agent(Fields& fields, fleet::InventoryReport& report) {
  report.machine_id = fields.optional_text("machine_id", limits::key_bytes).value_or("");
  report.agent_version =
      fields.optional_text("agent_version", limits::agent_version_bytes).value_or("");
  const auto agent = fields.optional_object("agent");
  if (!agent) return;
  Fields members(*agent, "agent");
  const auto id = members.optional_text("id", limits::key_bytes);
  const auto version = members.optional_text("version", limits::agent_version_bytes);
  if (id && report.machine_id.empty()) report.machine_id = *id;
  if (version) report.agent_version = *version;
  if (const Result<void> valid = members.finish(); !valid.ok()) {
    fields.fail("agent", "has a member that is no plain text");
  }
}

Result<Received> decode_report(const Json& body, const http::Request& request) {
  Fields fields(body);
  Received received;
  fleet::InventoryReport& report = received.report;
  report.org = request.caller.org;
  if (request.caller.kind == http::Caller::Kind::agent) {
    report.agent = {request.caller.agent, request.caller.host};
  } else {
    report.key = KeyId{request.caller.key};
  }
  report.hostname = fields.text("hostname", limits::hostname_bytes);
  const auto org = fields.optional_integer("organization_id", 1, number_id_max);
  const auto ip_address = fields.optional_text("ip_address", limits::ip_address_bytes);
  report.ip_address = ip_address && !ip_address->empty() ? *ip_address : request.peer_address;
  if (fields.has("tags")) {
    report.tags = fields.optional_texts("tags", limits::tags, limits::tag_bytes);
  }
  report.delta = fields.optional_boolean("delta").value_or(false);
  report.base_set_hash = optional_set_hash(fields, "base_set_hash");
  report.set_hash = optional_set_hash(fields, "set_hash");
  take_os(fields, body, report);
  take_agent(fields, report);
  TRY(fields.finish());
  // Of a host its own agent alone may say what runs there.
  if (report.agent) received.runtime = TRY(decode_runtime(body));
  if (org && *org != report.org.value) {
    return Error{Errc::organization_forbidden, "The API key does not belong to this organization",
                 "organization_id"};
  }
  report.packages.reserve(512, 64 * limits::KiB);
  if (report.delta) {
    TRY(take_removals(fields, received));
    TRY(take_list(fields, "software_added", false, received));
  } else {
    // A full report without any list would look like a host without software.
    if (!fields.has("software") && !fields.has("products")) {
      return Error{Errc::missing_field, "software: is required", "software"};
    }
    TRY(take_list(fields, "software", false, received));
    TRY(take_list(fields, "products", true, received));
  }
  return received;
}

/// The fielded bash agent leaves out its body's last brace, which nests `products` inside `agent`.
/// Tries once more with the brace, and lifts the list to the top.
Result<Received> decode_mended(App& app, std::string_view body, const Error& first,
                               const http::Request& request) {
  std::string mended(body);
  mended.push_back('}');
  const Result<Json> parsed = thread_json().parse(mended);
  if (!parsed.ok() || !parsed->is_object()) return first;
  const auto agent = parsed->find("agent");
  const auto products = agent ? agent->find("products") : std::nullopt;
  if (!products || parsed->find("products")) return first;
  JsonWriter lifted;
  lifted.begin_object();
  parsed->for_each_member(
      [&](std::string_view name, const Json& value) { lifted.key(name).raw(value.serialise()); });
  lifted.key("products").raw(products->serialise()).end_object();
  const std::string whole = lifted.take();
  app.counters.mended_reports.fetch_add(1, std::memory_order_relaxed);
  return decode_report(TRY(thread_json().parse(whole)), request);
}

std::string encode_outcome(const fleet::ReportOutcome& outcome, bool fielded,
                           const Received& received,
                           const std::optional<std::string>& runtime_hash) {
  JsonWriter json;
  const bool delta = received.report.delta;
  json.begin_object()
      .member("status", fielded ? "success" : "accepted")
      .member("asset_id", outcome.host);
  if (delta) {
    json.member("products_added", outcome.added)
        .member("products_removed", outcome.removed)
        .member("vulnerabilities_found", outcome.vulnerabilities)
        .member("hostname", outcome.hostname);
  } else {
    json.member("hostname", outcome.hostname)
        .member("products_processed", outcome.processed)
        .member("products_matched", outcome.matched)
        .member("vulnerabilities_found", outcome.vulnerabilities);
  }
  if (outcome.set_hash) json.member("set_hash", outcome.set_hash->text());
  if (outcome.differs && delta) json.member("force_full_scan", true);
  if (runtime_hash) json.member("runtime_hash", *runtime_hash);
  json.key("summary")
      .begin_object()
      .member("products_created", outcome.created)
      .member("products_updated", outcome.updated)
      .member("installations_created", outcome.added - outcome.updated)
      .member("installations_updated", outcome.updated)
      .member("installations_removed", outcome.removed - outcome.updated)
      .member("total_products", received.items)
      .member("stale_matches_removed", outcome.findings_resolved)
      .member("products_skipped", received.skipped)
      .end_object();
  if (outcome.held != 0) {
    json.member("warning", "Removals would exceed the safe threshold; they are held for review.")
        .key("anomaly")
        .begin_object()
        .member("type", "mass_removal_threshold")
        .member("removals_rejected", true)
        .member("removals_held", outcome.held)
        .end_object();
  }
  json.end_object();
  return json.take();
}

}  // namespace

Result<http::Reply> report_inventory(App& app, const http::Request& request) {
  const bool fielded = request.path.starts_with("/api/agent/inventory");
  std::string storage;
  const std::string_view body = TRY(decode_encoding(request, storage));
  const Result<Json> parsed = thread_json().parse(body);
  if (!parsed.ok() && !fielded) return parsed.error();
  Received received = parsed.ok() ? TRY(decode_report(*parsed, request))
                                  : TRY(decode_mended(app, body, parsed.error(), request));
  return http::Reply(http::Write([&app, received = std::move(received), fielded,
                                  now = request.now](store::Tx& tx) -> Result<http::Response> {
    const fleet::ReportOutcome outcome =
        TRY(fleet::record_report(tx, inventory_of(app), received.report, now));
    if (outcome.refused || outcome.differs) {
      app.counters.software_drifts.fetch_add(1, std::memory_order_relaxed);
    }
    if (!received.report.agent) {
      fleet::record_key_use(tx, app.key_uses, received.report.org, received.report.key,
                            outcome.host, now);
    }
    // That the host is asked for a full report is to be stored.
    if (outcome.refused) return error_response(Dialect::inventory, fleet::send_all_of_it());
    std::optional<std::string> runtime_hash;
    if (received.runtime.asked) {
      runtime_hash =
          fleet::record_runtime(tx, received.report.org, outcome.host, received.runtime.told, now);
    }
    return http::json_response(200, encode_outcome(outcome, fielded, received, runtime_hash));
  }));
}

}  // namespace muster::endpoints
