// SPDX-License-Identifier: Apache-2.0
// Any bytes: a name is refused, or both of its bindings give it back, and it equals itself.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/limits.h"
#include "model/cpe.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace muster;
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  // Two names between a line end, for their relation.
  const auto line = input.find('\n');
  const auto first = model::unbind_cpe(input.substr(0, line));
  if (!first.ok()) return 0;
  const std::string text = model::bind_to_formatted_string(*first);
  const std::string uri = model::bind_to_uri(*first);
  // Percent codes make a name up to three times as long, and the bound is on what is read.
  if (text.size() <= limits::cpe_bytes) CHECK(*model::unbind_cpe(text) == *first);
  if (uri.size() <= limits::cpe_bytes) CHECK(*model::unbind_cpe(uri) == *first);
  if (line == std::string_view::npos) return 0;
  const auto second = model::unbind_cpe(input.substr(line + 1));
  if (!second.ok()) return 0;
  const model::CpeRelation relation = model::relate_cpe_names(*first, *second);
  if (relation == model::CpeRelation::equal) CHECK(*first == *second);
  if (*first == *second) {
    CHECK(relation == model::CpeRelation::equal || relation == model::CpeRelation::undefined);
  }
  return 0;
}
