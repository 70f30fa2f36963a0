// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "agent/bystanders.h"
#include "agent/collectors/image_look.h"
#include "agent/collectors/os.h"
#include "agent/collectors/vitals.h"
#include "base/result.h"
#include "model/package.h"
#include "model/runtime.h"

namespace muster::agent {

/// What is on the host, from all collectors.
struct Survey {
  HostFacts facts;
  std::vector<model::Package> software;
  std::optional<model::Runtime> runtime;  // none: what is to be looked at cannot be
  std::size_t malformed = 0;              // entries no collector could read
  std::size_t beyond_limit = 0;           // entries after limits::software_items
};

/// The host as the agent sees it: a real one in `main`, a made-up one in tests.
class Host {
 public:
  virtual ~Host() = default;
  virtual Vitals measure() = 0;
  /// Reads everything anew, without the sources that are `skipped` (`[inventory] skip`).
  /// Fails with unavailable, naming it, when a source of packages is there but cannot be read: an
  /// empty report would say that all was removed. Fails also soon after `stop` became true. May run
  /// beside measure(). Throws std::system_error for what the process is short of.
  virtual Result<Survey> survey(const std::vector<std::string>& skipped,
                                const std::atomic<bool>& stop) = 0;
  /// As agent::look_at_images().
  virtual std::optional<ImageSight> look_at_images(const ImageOrder& order,
                                                   const std::atomic<bool>& stop) = 0;
};

/// A Linux host with its files below `root` ("/" outside tests). Programs that it asks are among
/// `bystanders`; what a scanner of images fetches is kept in `cache`.
class LinuxHost final : public Host {
 public:
  LinuxHost(std::filesystem::path root, Bystanders& bystanders, std::filesystem::path cache);
  Vitals measure() override;
  Result<Survey> survey(const std::vector<std::string>& skipped,
                        const std::atomic<bool>& stop) override;
  std::optional<ImageSight> look_at_images(const ImageOrder& order,
                                           const std::atomic<bool>& stop) override;

 private:
  std::filesystem::path root_;
  Bystanders& bystanders_;
  std::filesystem::path cache_;
  VitalsProbe vitals_;
};

}  // namespace muster::agent
