// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "feeds/feed.h"

namespace muster::feeds {

/// Any bytes: the file is refused, or every record it gives comes back from its stored form and is
/// within its bounds.
inline void fuzz_feed(FeedKind kind, const std::uint8_t* bytes, std::size_t size) {
  RecordSink sink;
  sink.advisory = [](model::Advisory&& advisory) {
    CHECK(*model::decode_advisory(model::encode_advisory(advisory)) == advisory);
  };
  sink.kev_entry = [](model::KevEntry&& entry) {
    CHECK(*model::decode_kev_entry(model::encode_kev_entry(entry)) == entry);
  };
  sink.epss_score = [](model::EpssScore&& score) {
    CHECK(model::is_cve_id(score.cve));
    for (const auto share : {score.probability, score.percentile}) {
      CHECK(share >= 0 && share <= model::EpssScore::whole);
    }
  };
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  static_cast<void>(parse_feed(kind, text, sink));
}

}  // namespace muster::feeds
