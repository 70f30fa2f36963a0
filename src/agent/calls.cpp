// SPDX-License-Identifier: Apache-2.0
#include "agent/calls.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <exception>
#include <system_error>
#include <utility>

#include "base/check.h"

namespace muster::agent {

namespace {

/// Never throws: what the process is short of, as memory, only fails the call.
Result<Answer> send_by(Transport& transport, const Call& call) {
  try {
    return transport.send(call);
  } catch (const std::exception& failure) {
    return Error{Errc::unavailable, failure.what()};
  }
}

}  // namespace

CallThread::CallThread(Transport& kept, MakeTransport make)
    : kept_(kept), make_(std::move(make)), ended_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!ended_fd_) throw std::system_error(errno, std::generic_category(), "cannot make calls");
}

CallThread::~CallThread() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void CallThread::begin(Call call) {
  {
    const std::lock_guard lock(mutex_);
    CHECK(phase_ == Phase::idle);
    phase_ = Phase::begun;
    call_ = std::move(call);
  }
  changed_.notify_one();
  if (thread_.joinable()) return;
  try {
    thread_ = std::thread([this] { work(); });
  } catch (const std::system_error& failure) {
    end(Error{Errc::unavailable, failure.what()});
  }
}

std::optional<Result<Answer>> CallThread::take() {
  const std::lock_guard lock(mutex_);
  if (phase_ != Phase::answered) return std::nullopt;
  phase_ = Phase::idle;
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(ended_fd_.get(), &count, sizeof count);
  return std::exchange(answer_, std::nullopt);
}

Result<Answer> CallThread::send(const Call& call) {
  const bool kept_is_free = [&] {
    const std::lock_guard lock(mutex_);
    return phase_ != Phase::begun;
  }();
  if (kept_is_free) return send_by(kept_, call);
  return send_by(*make_(), call);
}

void CallThread::work() {
  for (;;) {
    Call call;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stop_ || phase_ == Phase::begun; });
      if (stop_) return;
      call = std::exchange(call_, {});
    }
    end(send_by(kept_, call));
  }
}

void CallThread::end(Result<Answer> answer) {
  const std::lock_guard lock(mutex_);
  phase_ = Phase::answered;
  answer_ = std::move(answer);
  constexpr std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(ended_fd_.get(), &one, sizeof one);
}

}  // namespace muster::agent
