// SPDX-License-Identifier: Apache-2.0
// Answers whose body is said as it comes about: no thread, buffer or worker is held meanwhile.
#include <utility>

#include "net/session.h"

namespace muster::net {

namespace {

/// Has `source` wake the session for as long as this lives.
class WokenBy {
 public:
  WokenBy(http::LiveSource& source, IoThread& thread, Session& session)
      : source_(source), thread_(thread), ticket_(thread.next_ticket()) {
    thread_.add_live(ticket_, session);
    source_.wake_by([mailbox = thread.mailbox(), ticket = ticket_] {
      mailbox->deliver({ticket, {}, nullptr});
    });
  }
  ~WokenBy() {
    source_.wake_by({});
    thread_.remove_live(ticket_);
  }
  WokenBy(const WokenBy&) = delete;
  WokenBy& operator=(const WokenBy&) = delete;

 private:
  http::LiveSource& source_;
  IoThread& thread_;
  const std::uint64_t ticket_;
};

}  // namespace

Task<void> Session::live() {
  http::LiveSource& source = *exchange_->live;
  const WokenBy woken(source, thread_, *this);
  while (!thread_.draining() && socket_.is_open()) {
    const std::optional<std::string> said = source.take();
    if (!said) break;
    if (said->empty()) {
      const bool goes_on = co_await wait_for_wake();
      if (!goes_on) break;
      continue;
    }
    // Who does not read is given up; what comes about meanwhile waits in the source, once.
    thread_.set_deadline(*this, thread_.options().write_timeout);
    const bool sent = co_await write_all(*said);
    if (!sent) break;
  }
  goes_on(Next::close);
}

Task<bool> Session::wait_for_wake() {
  thread_.set_deadline(*this, thread_.options().live_silence);
  woken_ = false;
  listens_ = true;
  while (!woken_) {
    if (!has_unread()) {
      const auto [failed] = co_await socket_.async_wait(read_waits_for_, use_task_tuple);
      if (failed || woken_ || !socket_.is_open()) break;
    }
    // A part of a TLS record is nothing yet. Whoever speaks here is not who asked to listen.
    const Io got = read(thread_.read_buffer());
    if (got.state == Io::State::closed || got.bytes > 0) break;
  }
  listens_ = false;
  co_return woken_&& socket_.is_open();
}

void Session::wake() {
  if (!listens_) return;
  woken_ = true;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

}  // namespace muster::net
