// SPDX-License-Identifier: Apache-2.0
// The small readers: what they accept is written and read again as the same, and text that was made
// safe for a log or a terminal stays so.
#include "base/check.h"
#include "base/ids.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/time.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace muster;
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  if (const auto at = parse_rfc3339(input); at.ok()) {
    const std::string text = format_rfc3339(*at);
    const Instant again = parse_rfc3339(text).value();
    CHECK(again <= *at && *at - again < std::chrono::seconds(1));
  }
  if (const auto id = parse_uuid(input); id.ok()) CHECK(parse_uuid(id->text()).value() == *id);
  JsonDocument document;
  if (const auto json = document.parse(input); json.ok()) {
    const std::string text = json->serialise();
    JsonDocument other;
    CHECK(other.parse(text).value().serialise() == text);
  }
  JsonWriter writer;
  if (document.parse("\"" + std::string(input) + "\"").ok()) {
    const std::string text = std::move(writer.begin_array().value(input).end_array()).take();
    CHECK(text.find('\n') == std::string::npos);
  }
  return 0;
}
