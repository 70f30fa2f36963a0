// SPDX-License-Identifier: Apache-2.0
// Any bytes as dpkg's status file: what comes out is within bounds and can be sent.
#include "agent/collectors/dpkg.h"

#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace muster;
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  const auto file = size % 2 == 0 ? agent::DpkgFile::status : agent::DpkgFile::status_d;
  const agent::DpkgStatus status = agent::parse_dpkg_status(input, "debian:12", file);
  CHECK(status.packages.size() <= limits::software_items);
  for (const model::Package& package : status.packages) {
    CHECK(!package.name.empty() && !package.version.empty());
    CHECK(is_plain_text(package.name) && is_plain_text(package.version));
  }
  return 0;
}
