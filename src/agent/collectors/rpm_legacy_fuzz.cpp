// SPDX-License-Identifier: Apache-2.0
// Any bytes as one of rpm's older databases: no more is read than twice what there is.
#include "agent/collectors/rpm_legacy.h"

#include <cstdint>

#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace muster;
  using namespace muster::agent;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const std::atomic<bool> stop{false};
  std::size_t octets = 0;
  const ReadAt read = [&](std::uint64_t offset, std::size_t wanted) -> std::optional<std::string> {
    octets += wanted;
    return std::string(text.substr(offset, wanted));
  };
  const RpmFile file{read, text.size(), stop};
  Found found;
  if (bytes[0] % 2 == 0) {
    read_berkeley_rpms(file, "rhel:8", found);
  } else {
    read_ndb_rpms(file, "sles:15", found);
  }
  constexpr std::size_t heads = 4096;  // the first page, which a small file is less than
  CHECK(octets <= 2 * text.size() + heads);
  for (const model::Package& package : found.packages) {
    CHECK(!package.name.empty() && is_plain_text(package.name) && is_plain_text(package.version));
  }
  return 0;
}
