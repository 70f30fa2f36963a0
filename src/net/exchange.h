// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_function.h"
#include "http/application.h"
#include "http/body_budget.h"
#include "http/shorten_json.h"
#include "net/head.h"

namespace muster::net {

/// One of the server's limited places for answers that are read piece by piece; given back at the
/// end.
class StreamPlace {
 public:
  /// Nothing when `taken` has reached `places`.
  static std::optional<StreamPlace> take(std::atomic<std::size_t>& taken, std::size_t places);
  StreamPlace(StreamPlace&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)) {}
  StreamPlace& operator=(StreamPlace&& other) noexcept {
    std::swap(taken_, other.taken_);
    return *this;
  }
  ~StreamPlace() {
    if (taken_ != nullptr) taken_->fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  explicit StreamPlace(std::atomic<std::size_t>& taken) : taken_(&taken) {}
  std::atomic<std::size_t>* taken_;
};

/// One request and its answer while they are under way. Owns every byte that the request's views
/// point to once it has to wait; lent from its thread's pool, so an idle connection has none.
struct Exchange {
  std::string head;
  std::string body;
  std::optional<http::BodyPlace> body_place;     // of a large one
  std::optional<http::JsonShortener> shortener;  // while a body is read that may be shortened
  std::optional<RequestParser> parser;
  std::optional<http::Request> request;
  http::Admission admission;
  std::string unsent;                         // of the answer's head, and of a small body with it
  std::string unsent_body;                    // a large one
  std::string_view unsent_kept_body;          // a large one that is not ours
  std::string peer;                           // filled by own()
  std::optional<http::Stream> stream;         // what is left of a body that is read piece by piece
  std::optional<StreamPlace> place;           // while there is a stream
  std::optional<StreamPlace> stranger_place;  // likewise, if its caller proved nothing
  std::shared_ptr<http::LiveSource> live;     // of a body that is said as it comes about

  /// Makes everything the request shows our own, so that it may outlive the session's turn.
  void own();
  /// The request was handled: lets go of a body that has a place.
  void drop_body();
  /// Reads the next piece of the stream into unsent_body; nothing when it cannot be read any more.
  /// Runs on a worker.
  void read_piece() noexcept;
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
