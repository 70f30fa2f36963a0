// SPDX-License-Identifier: Apache-2.0
// Any bytes as a lock file, the first of them choosing its name: it is refused, or gives packages
// that can be stored, each once.
#include "feeds/lockfiles/lockfiles.h"

#include <algorithm>
#include <cstdint>

#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace muster;
  constexpr std::string_view names[] = {
#define LOCKFILE(filename, ecosystem, reader) filename,
#include "feeds/lockfiles/lockfiles.def"
#undef LOCKFILE
  };
  if (size == 0) return 0;
  const std::string_view content(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const auto lockfile = feeds::read_lockfile(names[bytes[0] % std::size(names)], content);
  if (!lockfile.ok()) return 0;
  CHECK(lockfile->packages.size() <= limits::lockfile_packages);
  CHECK(std::is_sorted(lockfile->packages.begin(), lockfile->packages.end()));
  for (const feeds::LockedPackage& package : lockfile->packages) {
    CHECK(!package.name.empty() && is_plain_text(package.name));
    CHECK(!package.version.empty() && is_plain_text(package.version));
  }
  return 0;
}
