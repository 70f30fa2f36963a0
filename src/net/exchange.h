// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_function.h"
#include "http/application.h"
#include "net/head.h"

namespace muster::net {

/// One request and its answer while they are under way. Owns every byte that the request's views
/// point to once it has to wait; lent from its thread's pool, so an idle connection has none.
struct Exchange {
  std::string head;
  std::string body;
  std::optional<RequestParser> parser;
  std::optional<http::Request> request;
  http::Admission admission;
  std::string unsent;       // of the answer's head, and of a small body with it
  std::string unsent_body;  // a large one
  std::string peer;         // filled by own()

  /// Makes everything the request shows our own, so that it may outlive the session's turn.
  void own();
  void clear();
};

/// What another thread hands back to a waiting session.
struct Delivery {
  std::uint64_t ticket = 0;
  http::Reply reply;
  std::unique_ptr<Exchange> exchange;  // from a worker
};

/// Where workers and the writer leave deliveries for one IO thread. Outlives the thread for as long
/// as somebody may still deliver: late ones are dropped. One wake-up serves a whole group commit.
class Mailbox {
 public:
  /// `wake` makes the IO thread call take(); runs under the lock.
  explicit Mailbox(UniqueFunction<void()> wake) : wake_(std::move(wake)) {}

  void deliver(Delivery delivery);
  std::vector<Delivery> take();
  /// From now on deliveries are dropped and nobody is woken.
  void close();

 private:
  std::mutex mutex_;
  UniqueFunction<void()> wake_;
  std::vector<Delivery> waiting_;
};

}  // namespace muster::net
