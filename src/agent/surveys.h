// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/collectors/host.h"
#include "agent/owned_fd.h"
#include "base/guarded.h"

namespace muster::agent {

/// Takes surveys of the host beside the caller, one at a time, so that no heartbeat waits for one.
class Surveys {
 public:
  struct Ended {
    std::optional<Survey> survey;
  };

  virtual ~Surveys() = default;
  /// Without the sources that are `skipped`. Never while another survey is being taken.
  virtual void begin(const std::vector<std::string>& skipped) = 0;
  /// What the survey that was begun found, once.
  virtual std::optional<Ended> take() = 0;
};

/// On a thread of the lowest priority.
class SurveyThread final : public Surveys {
 public:
  explicit SurveyThread(Host& host);
  /// Cuts a survey short.
  ~SurveyThread() override;

  void begin(const std::vector<std::string>& skipped) override;
  std::optional<Ended> take() override;

  /// Becomes readable when a survey has ended.
  int ended_fd() const { return ended_fd_.get(); }

 private:
  Host& host_;
  OwnedFd ended_fd_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
  Guarded<std::optional<Ended>> ended_;
};

}  // namespace muster::agent
