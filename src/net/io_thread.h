// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/intrusive/list.hpp>

#include "net/asio.h"
#include "net/commit_queue.h"
#include "net/deadline_wheel.h"
#include "net/descriptor.h"
#include "net/exchange.h"
#include "net/handshake_pace.h"
#include "net/server.h"
#include "net/workers.h"

namespace muster::net {

class Session;

/// Base of Session: its place in the list of its thread's sessions.
class SessionLink : public boost::intrusive::list_base_hook<
                        boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {};

/// What all threads of one server share.
struct ServerShared {
  http::Application& application;
  const Clock& clock;
  Log& log;
  ServerOptions options;
  Workers workers;
  Workers slow_workers;
  http::BodyBudget bodies;
  CommitQueueUse waiting_writes;
  std::atomic<bool> draining = false;
  std::atomic<std::size_t> connections = 0;
  std::atomic<std::size_t> most_connections = 0;  // at one time
  std::atomic<std::size_t> streams = 0;
  std::atomic<std::size_t> stranger_streams = 0;
  std::mutex mutex = {};
  std::condition_variable none_left = {};  // connections reached 0
};

/// One io_context with its listening socket, its connections and what they share: the read buffer,
/// the answer buffer, the clock's second, the deadlines. Everything but start(), drain(),
/// refuse_writes(), cut() and join() runs on its own thread.
class IoThread {
 public:
  IoThread(ServerShared& shared, Descriptor listener);
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  void start();
  /// Stops accepting and closes idle connections, one lot after another.
  void drain();
  /// Tells writes that wait for a place with the writer to come back, and from now on whichever
  /// finds none.
  void refuse_writes();
  /// Cuts off every connection; waiting ones stop waiting.
  void cut();
  /// Returns when the last connection is gone.
  void join();

  ServerShared& shared() { return shared_; }
  const ServerOptions& options() const { return shared_.options; }
  bool draining() const { return shared_.draining.load(std::memory_order_relaxed); }
  /// Requests that come now are better not repeated soon.
  bool strained() const { return draining() || shared_.waiting_writes.waiting() > 0; }

  /// Bytes read are valid until the session next waits: every session reads into the same ones.
  std::span<char> read_buffer() { return {read_buffer_.get(), read_buffer_bytes}; }
  /// Empty, with the room of earlier answers; same rule.
  std::string& answer_buffer() {
    answer_buffer_.clear();
    return answer_buffer_;
  }
  std::string_view http_date(Instant now);

  std::unique_ptr<Exchange> take_exchange();
  void give_back(std::unique_ptr<Exchange> exchange);

  /// `session.close()` after `delay`, within a tick, unless set again or cleared.
  void set_deadline(DeadlineWheel::Entry& entry, Duration delay);
  void clear_deadline(DeadlineWheel::Entry& entry) { wheel_.clear(entry); }

  /// The session is destroyed: its place is free.
  void closed();

  /// The failure for whoever comes while we are full, with a Retry-After.
  Error overloaded(std::string message);

  std::uint64_t next_ticket() { return ++last_ticket_; }
  const std::shared_ptr<Mailbox>& mailbox() { return mailbox_; }
  /// The delivery for `ticket`; its ticket is 0 if the session was cut off instead.
  Task<Delivery> wait_delivery(std::uint64_t ticket);

  /// From now on a delivery for `ticket` wakes `session`, until remove_live().
  void add_live(std::uint64_t ticket, Session& session) { live_.emplace(ticket, &session); }
  void remove_live(std::uint64_t ticket) { live_.erase(ticket); }

  /// Of writes that found no place.
  CommitQueue& commits() { return commits_; }

  HandshakePace& handshakes() { return handshakes_; }
  /// Until there is a place for one more handshake, and for its steps a turn.
  Task<void> wait_handshake_place();
  Task<void> wait_handshake_turn();

  static constexpr std::size_t read_buffer_bytes = 64 * limits::KiB;

 private:
  struct Waiting {
    Delivery* out;
    UniqueFunction<void()> resume;
  };

  enum class Accepted { one, nobody, out_of_descriptors };
  Task<void> accept();
  Task<void> keep_deadlines();
  Accepted accept_one();
  void open_session(Descriptor socket, const IpAddress& peer);
  void refuse_connection(int socket, const IpAddress& peer);
  void take_deliveries();
  void wake_live(std::uint64_t ticket);
  void schedule_commits();
  void drain_here();
  void drain_lot(std::size_t size);
  void cut_here();

  ServerShared& shared_;
  Duration tick_;
  std::unique_ptr<char[]> read_buffer_;
  std::string answer_buffer_;
  std::int64_t date_second_ = -1;
  std::string date_;
  std::vector<std::unique_ptr<Exchange>> free_exchanges_;
  DeadlineWheel wheel_;
  using Sessions = boost::intrusive::list<SessionLink, boost::intrusive::constant_time_size<false>>;
  Sessions sessions_;
  Sessions drained_;  // were told to drain
  std::uint64_t last_ticket_ = 0;
  std::unordered_map<std::uint64_t, Waiting> waiting_;
  std::unordered_map<std::uint64_t, Session*> live_;
  CommitQueue commits_;

  asio::ip::tcp protocol_;
  asio::io_context io_;
  asio::executor_work_guard<Executor> guard_;
  Acceptor acceptor_;
  Timer ticker_;
  Timer accept_pause_;
  Timer commit_pause_;
  Timer drain_pause_;
  HandshakePace handshakes_;
  std::shared_ptr<Mailbox> mailbox_;
  std::thread thread_;
};

}  // namespace muster::net
