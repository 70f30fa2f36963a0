// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "agent/owned_fd.h"
#include "agent/runner.h"
#include "agent/transport.h"
#include "base/result.h"
#include "net/client.h"

namespace muster {

/// The agent's way to its server over HTTP: one connection, kept open.
class ClientTransport final : public agent::Transport {
 public:
  /// Fails with invalid_field for an origin that is none, or plain http to another host.
  static Result<ClientTransport> create(const std::string& server_url, const std::string& ca_file);
  Result<agent::Answer> send(const agent::Call& call) override;
  /// With a connection of its own. Also while another thread is in send().
  std::unique_ptr<agent::Transport> another() const;

 private:
  explicit ClientTransport(net::Client client) : client_(std::move(client)) {}
  net::Client client_;
};

/// The kernel's clocks; SIGTERM and SIGINT ask to stop. Made before any thread starts, since it
/// blocks these signals for all of them.
class SystemRest final : public agent::Rest {
 public:
  SystemRest();
  /// Descriptors that become readable when a command, a survey and a call have ended.
  void watch(int command_fd, int survey_fd, int call_fd) {
    command_fd_ = command_fd;
    survey_fd_ = survey_fd;
    call_fd_ = call_fd;
  }

  agent::Moment now() override;
  void wait(std::optional<Duration> until) override;
  bool stop_requested() override;
  void set_watchdog(std::optional<Duration> after) override;

 private:
  agent::OwnedFd signals_;
  int command_fd_ = -1;
  int survey_fd_ = -1;
  int call_fd_ = -1;
  bool stop_ = false;
};

/// From where it ends on, the process has bounds::ending: what cannot be ended, as a look at a home
/// on a server that is gone, ends with it.
class Ending {
 public:
  explicit Ending(SystemRest& rest) : rest_(rest) {}
  ~Ending();
  Ending(const Ending&) = delete;
  Ending& operator=(const Ending&) = delete;

 private:
  SystemRest& rest_;
};

}  // namespace muster
