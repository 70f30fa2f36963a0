// SPDX-License-Identifier: Apache-2.0
#include "agent/surveys.h"

#include <malloc.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <exception>
#include <system_error>
#include <utility>

#include "base/check.h"

namespace muster::agent {

namespace {

/// The host's own work goes first, for the processor and for the disk.
void step_back() {
  constexpr int lowest = 19;
  constexpr int of_process = 1;            // IOPRIO_WHO_PROCESS
  constexpr int idle = 3 << 13;            // IOPRIO_CLASS_IDLE
  ::setpriority(PRIO_PROCESS, 0, lowest);  // of this thread alone, in Linux
  ::syscall(SYS_ioprio_set, of_process, 0, idle);
}

}  // namespace

Sight look_at(Host& host, const Look& look, const std::atomic<bool>& stop) {
  const auto* images = std::get_if<ImageOrder>(&look);
  try {
    if (images != nullptr) return host.look_at_images(*images, stop);
    return host.survey(std::get<SoftwareOrder>(look).skipped, stop);
  } catch (const std::exception& failure) {
    if (images != nullptr) return std::optional<ImageSight>();
    return Result<Survey>(Error{Errc::unavailable, failure.what()});
  }
}

SurveyThread::SurveyThread(Host& host)
    : host_(host), ended_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!ended_fd_) throw std::system_error(errno, std::generic_category(), "cannot take surveys");
}

SurveyThread::~SurveyThread() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void SurveyThread::begin(const Look& look) {
  CHECK(!thread_.joinable());
  thread_ = std::thread([this, look] {
    step_back();
    Sight sight = look_at(host_, look, stop_);
    ended_.with([&](auto& slot) { slot = std::move(sight); });
    constexpr std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(ended_fd_.get(), &one, sizeof one);
  });
}

std::optional<Sight> SurveyThread::take() {
  auto ended = ended_.with([](auto& slot) { return std::exchange(slot, std::nullopt); });
  if (!ended) return std::nullopt;
  thread_.join();
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(ended_fd_.get(), &count, sizeof count);
  // What the files took is not needed until the next survey.
  ::malloc_trim(0);
  return ended;
}

}  // namespace muster::agent
