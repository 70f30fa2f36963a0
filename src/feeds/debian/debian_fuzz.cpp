// SPDX-License-Identifier: Apache-2.0
#include "feeds/fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  muster::feeds::fuzz_feed(muster::feeds::FeedKind::debian, bytes, size);
  return 0;
}
