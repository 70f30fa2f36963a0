// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "agent/collectors/host.h"
#include "agent/owned_fd.h"
#include "base/guarded.h"
#include "base/result.h"

namespace muster::agent {

/// What is looked at, and how.
struct SoftwareOrder {
  std::vector<std::string> skipped;  // sources
};
using Look = std::variant<SoftwareOrder, ImageOrder>;
/// What was seen, of the same kind as the look.
using Sight = std::variant<Result<Survey>, std::optional<ImageSight>>;

/// Never throws: what a host is short of, as descriptors or memory, only fails the look.
Sight look_at(Host& host, const Look& look, const std::atomic<bool>& stop);

/// Looks at the host beside the caller, at one thing at a time, so that no heartbeat waits for it.
class Surveys {
 public:
  virtual ~Surveys() = default;
  /// Never while another look is being taken.
  virtual void begin(const Look& look) = 0;
  /// What was seen by the look that was begun, once.
  virtual std::optional<Sight> take() = 0;
};

/// On a thread of the lowest priority.
class SurveyThread final : public Surveys {
 public:
  explicit SurveyThread(Host& host);
  /// Cuts a look short.
  ~SurveyThread() override;

  void begin(const Look& look) override;
  std::optional<Sight> take() override;

  /// Becomes readable when a look has ended.
  int ended_fd() const { return ended_fd_.get(); }

 private:
  Host& host_;
  OwnedFd ended_fd_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
  Guarded<std::optional<Sight>> ended_;
};

}  // namespace muster::agent
