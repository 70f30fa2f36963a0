// SPDX-License-Identifier: Apache-2.0
// Any text: a query is refused with the place of the mistake, or is written in the one way that
// reads back as the same query.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/limits.h"
#include "model/host_query.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace muster;
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  const Result<model::HostQuery> query = model::parse_host_query(input);
  if (!query.ok()) {
    CHECK(query.error().field == "query");
    return 0;
  }
  CHECK(input.size() <= limits::query_bytes);
  std::size_t terms = 0;
  model::for_each_term(*query, [&](const model::HostTerm&) { ++terms; });
  CHECK(terms <= limits::query_terms);
  const std::string text = model::format_host_query(*query);
  // Written out, a bare word is longer than it was.
  if (text.size() > limits::query_bytes) return 0;
  const Result<model::HostQuery> again = model::parse_host_query(text);
  CHECK(again.ok());
  CHECK(*again == *query);
  CHECK(model::format_host_query(*again) == text);
  return 0;
}
