// SPDX-License-Identifier: Apache-2.0
#include "agent/executor/shell.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "agent/executor/private_directory.h"
#include "base/check.h"

namespace muster::agent {

namespace {

OwnedFd make_event() {
  OwnedFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd) throw std::system_error(errno, std::generic_category(), "cannot make an event");
  return fd;
}

void raise(const OwnedFd& event) {
  const std::uint64_t one = 1;
  CHECK(::write(event.get(), &one, sizeof one) == sizeof one);
}

void clear(const OwnedFd& event) {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(event.get(), &count, sizeof count);
}

}  // namespace

ShellExecutor::ShellExecutor(Fence fence, std::optional<std::string> user, Surroundings around,
                             std::filesystem::path files)
    : fence_(std::move(fence)),
      user_(std::move(user)),
      around_(around),
      files_(std::move(files)),
      ended_fd_(make_event()),
      cancel_fd_(make_event()) {
  remove_left_directories();
}

ShellExecutor::~ShellExecutor() {
  kill();
  if (thread_.joinable()) thread_.join();
}

void ShellExecutor::start(const Command& command) {
  CHECK(!thread_.joinable());
  clear(cancel_fd_);
  thread_ = std::thread([this, command] {
    Outcome outcome = run(command);
    ended_.with([&](auto& slot) { slot = Ended{command.task, std::move(outcome)}; });
    raise(ended_fd_);
  });
}

Outcome ShellExecutor::run(const Command& command) const {
  Fence fence = fence_;
  if (user_) {
    const auto account = find_account(*user_);
    if (!account.ok()) {
      Outcome outcome;
      outcome.exit_code = -1;
      outcome.error = account.error().message;
      outcome.started_at = outcome.completed_at = SystemClock().now();
      return outcome;
    }
    fence.account = *account;
  }
  if (!command.test) {
    return run_shell(command.line, command.variables, command.timeout, fence, around_,
                     cancel_fd_.get());
  }
  const TestOrder& test = *command.test;
  return run_program({files_ / test.file(), test.name, test.arguments, command.variables},
                     command.timeout, fence, around_, cancel_fd_.get());
}

std::optional<Executor::Ended> ShellExecutor::take_ended() {
  std::optional<Ended> ended =
      ended_.with([](auto& slot) { return std::exchange(slot, std::nullopt); });
  if (ended) {
    thread_.join();
    clear(ended_fd_);
  }
  return ended;
}

void ShellExecutor::kill() {
  raise(cancel_fd_);
}

}  // namespace muster::agent
