// SPDX-License-Identifier: Apache-2.0
#include "model/runtime.h"

#include <algorithm>

#include "base/json_write.h"

namespace muster::model {

namespace {

template <typename T>
void settle_list(std::optional<std::vector<T>>& list, std::size_t size_max) {
  if (!list) return;
  std::sort(list->begin(), list->end());
  list->erase(std::unique(list->begin(), list->end()), list->end());
  if (list->size() > size_max) list->resize(size_max);
}

}  // namespace

void Runtime::settle() {
  settle_list(listening, listening_ports_max);
  settle_list(services, running_services_max);
}

std::string listening_json(const Runtime& runtime) {
  if (!runtime.listening) return "null";
  JsonWriter json;
  json.begin_array();
  for (const ListeningPort& port : *runtime.listening) {
    json.begin_object()
        .member("protocol", port.protocol)
        .member("address", port.address)
        .member("port", port.port)
        .member("process", port.process)
        .end_object();
  }
  json.end_array();
  return json.take();
}

std::string services_json(const Runtime& runtime) {
  if (!runtime.services) return "null";
  JsonWriter json;
  json.begin_array();
  for (const ServiceState& service : *runtime.services) {
    json.begin_object().member("name", service.name).member("state", service.state).end_object();
  }
  json.end_array();
  return json.take();
}

}  // namespace muster::model
