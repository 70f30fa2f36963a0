// SPDX-License-Identifier: Apache-2.0
// What a server, or somebody in its place, may give out as an operator's order.
#include "base/check.h"
#include "base/limits.h"
#include "model/work_order.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace muster;
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  const Result<model::WorkOrder> order = model::parse_work_order(input);
  if (!order.ok()) return 0;
  CHECK(input.size() <= limits::order_bytes);
  CHECK(model::encode_work_order(*order) == input);
  CHECK(model::first_difference(*order, *order).empty());
  return 0;
}
