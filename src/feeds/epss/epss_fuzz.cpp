// SPDX-License-Identifier: Apache-2.0
// Any bytes: the file is refused, or every record it gives comes back from its stored form.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "feeds/feed.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace muster;
  feeds::RecordSink sink;
  sink.advisory = [](model::Advisory&& advisory) {
    CHECK(*model::decode_advisory(model::encode_advisory(advisory)) == advisory);
  };
  sink.kev_entry = [](model::KevEntry&& entry) {
    CHECK(*model::decode_kev_entry(model::encode_kev_entry(entry)) == entry);
  };
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  static_cast<void>(feeds::parse_feed(feeds::FeedKind::epss, text, sink));
  return 0;
}
