// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "agent/owned_fd.h"
#include "agent/transport.h"
#include "base/result.h"

namespace muster::agent {

/// Calls to the server, as the loop needs them: one goes beside the caller, and a heartbeat waits
/// for none.
class Calls {
 public:
  virtual ~Calls() = default;
  /// Never before the answer to the one begun before was taken. Whatever goes wrong is its answer.
  virtual void begin(Call call) = 0;
  /// The answer to the call that was begun, once.
  virtual std::optional<Result<Answer>> take() = 0;
  /// Sends and waits for the answer, also while the call that was begun is on its way.
  virtual Result<Answer> send(const Call& call) = 0;
};

/// On a thread that begins with the first call and stays. All functions are the loop's to call.
class CallThread final : public Calls {
 public:
  using MakeTransport = std::function<std::unique_ptr<Transport>()>;

  /// What is begun goes by `kept`, and so does what is sent meanwhile if nothing is on its way;
  /// otherwise that goes by a transport of its own, which `make` gives and which ends after it.
  CallThread(Transport& kept, MakeTransport make);
  /// Waits for the call that is on its way, for as long as its transport does.
  ~CallThread() override;

  void begin(Call call) override;
  std::optional<Result<Answer>> take() override;
  Result<Answer> send(const Call& call) override;

  /// Becomes readable when a call that was begun has its answer.
  int ended_fd() const { return ended_fd_.get(); }

 private:
  enum class Phase { idle, begun, answered };

  void work();
  void end(Result<Answer> answer);

  Transport& kept_;
  MakeTransport make_;
  OwnedFd ended_fd_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by the mutex; the transport is the thread's while a call is begun, else the loop's.
  Phase phase_ = Phase::idle;
  bool stop_ = false;
  Call call_;
  std::optional<Result<Answer>> answer_;
};

}  // namespace muster::agent
