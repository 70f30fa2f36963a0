// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string_view>

#include <stdlib.h>

#include "base/seeded_rng.h"
#include "base/time.h"

namespace muster {

/// 2026-03-21T14:30:00Z: when tests begin, unless they say otherwise.
inline constexpr Instant test_epoch{1'774'103'400'000};

/// Tests over whole real files take every n-th record in a build with sanitizers, where each costs
/// ten times as much: what they look for is met all the same.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr std::size_t record_step = 10;
#else
inline constexpr std::size_t record_step = 1;
#endif

/// The repository: the closest folder above this binary that holds CMakePresets.json. No path is
/// compiled into a test, so that two clones share what ccache keeps.
inline std::filesystem::path source_directory() {
  for (auto folder = std::filesystem::read_symlink("/proc/self/exe"); folder.has_relative_path();) {
    folder = folder.parent_path();
    if (std::filesystem::exists(folder / "CMakePresets.json")) return folder;
  }
  throw std::runtime_error("this test binary stands in no clone of the repository");
}

/// A file of real data that is not part of the repository: below $MUSTER_DATA, else beside the
/// repository. Nothing when it is absent; the test then skips and says so.
inline std::optional<std::filesystem::path> shared_data(std::string_view name) {
  const char* set = ::getenv("MUSTER_DATA");
  const auto root =
      set ? std::filesystem::path(set) : source_directory().parent_path() / "shared/data";
  auto path = root / name;
  if (!std::filesystem::exists(path)) return std::nullopt;
  return path;
}

/// A clock that stands still until it is moved. Safe from several threads.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(Instant start = test_epoch) : now_ms_(start.unix_ms) {}

  Instant now() const override { return {now_ms_.load()}; }
  void advance(Duration by) { now_ms_ += by.count(); }
  void set(Instant to) { now_ms_ = to.unix_ms; }

 private:
  std::atomic<std::int64_t> now_ms_;
};

}  // namespace muster
