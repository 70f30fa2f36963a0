// SPDX-License-Identifier: Apache-2.0
// What a power cut, a damaged disk or another version may have left in the files of the agent.
#include "agent/image_record.h"
#include "agent/journal.h"
#include "agent/progress.h"
#include "agent/software_set.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace muster;
  using namespace muster::agent;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  // What was read once is written and read again as the same.
  if (const auto record = decode_record(text); record.ok()) {
    const std::string again = encode_record(*record);
    CHECK(encode_record(decode_record(again).value()) == again);
    Journal journal;
    journal.put(*record);
    CHECK(journal.find(record->task).has_value());
    for (const Record& shed : journal.shed()) CHECK(shed.delivered);
  }
  if (const auto progress = decode_progress(text)) {
    const std::string again = encode_progress(*progress);
    CHECK(encode_progress(decode_progress(again).value()) == again);
  }
  if (const auto images = decode_images(text)) {
    const std::string again = encode_images(*images);
    CHECK(encode_images(decode_images(again).value()) == again);
  }
  if (const auto software = decode_software(text)) {
    CHECK(hash_of(decode_software(encode_software(*software)).value()) == hash_of(*software));
  }
  Journal journal;
  journal.load_archive("journal/archive-1.jsonl", text);
  CHECK(journal.undelivered() == 0);
  return 0;
}
