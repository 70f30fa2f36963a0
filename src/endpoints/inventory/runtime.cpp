// SPDX-License-Identifier: Apache-2.0
#include "endpoints/inventory/runtime.h"

#include "base/limits.h"

namespace muster::endpoints {

namespace {

std::string place(std::string_view list, std::size_t index) {
  return "runtime." + std::string(list) + "[" + std::to_string(index) + "]";
}

Result<model::ListeningPort> decode_port(const Json& item, std::size_t index) {
  Fields fields(item, place("listening", index));
  constexpr int port_max = 65535;
  model::ListeningPort port;
  port.protocol = fields.text("protocol", limits::name_bytes);
  if (!fields.failed() && port.protocol != "tcp" && port.protocol != "udp") {
    fields.fail("protocol", "must be tcp or udp");
  }
  port.address = fields.text("address", model::listening_address_bytes);
  port.port = static_cast<int>(fields.integer("port", 1, port_max));
  port.process = fields.optional_text("process", model::process_name_bytes).value_or("");
  TRY(fields.finish());
  return port;
}

Result<model::ServiceState> decode_service(const Json& item, std::size_t index) {
  Fields fields(item, place("services", index));
  model::ServiceState service;
  service.name = fields.text("name", model::service_name_bytes);
  service.state = fields.text("state", model::service_state_bytes);
  TRY(fields.finish());
  return service;
}

/// Every item of a list, by `decode`; nothing for a list that is absent or null.
template <typename T>
Result<std::optional<std::vector<T>>> decode_list(Fields& fields, std::string_view name,
                                                  std::size_t size_max,
                                                  Result<T> (*decode)(const Json&, std::size_t)) {
  const auto list = fields.optional_array(name, size_max);
  TRY(fields.finish());
  if (!list) return std::optional<std::vector<T>>();
  std::vector<T> items;
  std::optional<Error> failure;
  list->for_each([&](const Json& item) {
    if (failure) return;
    Result<T> decoded = decode(item, items.size());
    if (decoded.ok()) {
      items.push_back(std::move(decoded).value());
    } else {
      failure = decoded.error();
    }
  });
  if (failure) return *failure;
  return std::optional(std::move(items));
}

}  // namespace

Result<ReceivedRuntime> decode_runtime(const Json& body) {
  Fields fields(body);
  ReceivedRuntime received;
  const auto hash = fields.optional_text("runtime_hash", limits::key_bytes);
  const auto runtime = fields.optional_object("runtime");
  TRY(fields.finish());
  received.asked = hash.has_value();
  if (!runtime) return received;
  if (hash.value_or("").empty()) {
    return Error{Errc::missing_field, "runtime_hash: is required with runtime", "runtime_hash"};
  }
  Fields members(*runtime, "runtime");
  fleet::ToldRuntime told{std::string(*hash), {}};
  told.runtime.listening =
      TRY(decode_list(members, "listening", model::listening_ports_max, &decode_port));
  told.runtime.services =
      TRY(decode_list(members, "services", model::running_services_max, &decode_service));
  told.runtime.settle();
  received.told = std::move(told);
  return received;
}

}  // namespace muster::endpoints
