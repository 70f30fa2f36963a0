// SPDX-License-Identifier: Apache-2.0
// What stands in update.json, and what a server may say of an update and its pieces.
#include "agent/launch.h"
#include "agent/update_offer.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace muster;
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  if (auto record = agent::decode_update(text); record.ok()) {
    const std::string again = agent::encode_update(*record);
    CHECK(agent::encode_update(agent::decode_update(again).value()) == again);
    const agent::Launch launch = agent::choose_build(*record, "1.2.0", true);
    if (launch.on_trial) CHECK(record->trial && record->trial->starts > 0);
  }
  if (const auto json = thread_json().parse(text); json.ok()) (void)agent::read_offer(*json);
  (void)model::parse_manifest(text);
  const agent::Answer answer{206, {{"Content-Range", text}}, "body"};
  const auto offset = agent::offset_of_body(answer, 1000);
  if (offset.ok()) CHECK(*offset >= 0 && *offset + 4 <= 1000);
  return 0;
}
