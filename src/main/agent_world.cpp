// SPDX-License-Identifier: Apache-2.0
#include "main/agent_world.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "agent/bounds.h"
#include "agent/version.h"

namespace muster {

Result<ClientTransport> ClientTransport::create(const std::string& server_url,
                                                const std::string& ca_file) {
  net::ClientOptions options;
  options.response_bytes_max = agent::bounds::answer_bytes;
  options.user_agent = "muster-agent/" + std::string(agent::agent_version);
  options.ca_file = ca_file;
  return ClientTransport(TRY(net::Client::create(server_url, std::move(options))));
}

Result<agent::Answer> ClientTransport::send(const agent::Call& call) {
  net::ClientRequest request;
  request.method = call.method;
  request.target = call.target;
  request.headers = call.headers;
  request.body = call.body;
  net::ClientResponse response = TRY(client_.send(request));
  return agent::Answer{response.status, std::move(response.headers), std::move(response.body)};
}

std::unique_ptr<agent::Transport> ClientTransport::another() const {
  return std::unique_ptr<agent::Transport>(new ClientTransport(client_.another()));
}

SystemRest::SystemRest() {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  if (::pthread_sigmask(SIG_BLOCK, &stop, nullptr) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot block signals");
  }
  signals_ = agent::OwnedFd(::signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) throw std::system_error(errno, std::generic_category(), "cannot take signals");
}

agent::Moment SystemRest::now() {
  timespec since_boot{};
  ::clock_gettime(CLOCK_BOOTTIME, &since_boot);
  const std::chrono::nanoseconds nanoseconds(since_boot.tv_nsec);
  return {SystemClock().now(), std::chrono::seconds(since_boot.tv_sec) +
                                   std::chrono::duration_cast<Duration>(nanoseconds)};
}

void SystemRest::wait(std::optional<Duration> until) {
  constexpr std::int64_t one_hour_ms = 3600 * 1000;  // poll() counts in int
  std::int64_t left = one_hour_ms;
  // poll() may come back a millisecond early: one more keeps the loop from turning in vain.
  if (until) left = std::clamp<std::int64_t>((*until - now().steady).count() + 1, 0, one_hour_ms);
  std::array<pollfd, 4> watched = {{{command_fd_, POLLIN, 0},
                                    {survey_fd_, POLLIN, 0},
                                    {call_fd_, POLLIN, 0},
                                    {signals_.get(), POLLIN, 0}}};
  ::poll(watched.data(), watched.size(), static_cast<int>(left));
}

bool SystemRest::stop_requested() {
  signalfd_siginfo signal{};
  if (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) stop_ = true;
  return stop_;
}

void SystemRest::set_watchdog(std::optional<Duration> after) {
  using std::chrono::seconds;
  const seconds left = after ? std::chrono::duration_cast<seconds>(*after) : seconds(0);
  ::alarm(static_cast<unsigned>(left.count()));
}

Ending::~Ending() {
  rest_.set_watchdog(agent::bounds::ending);
}

}  // namespace muster
