// SPDX-License-Identifier: Apache-2.0
// Requests that write: handed to the writer, or waiting until it has a place for them.
#include <algorithm>
#include <chrono>
#include <utility>

#include "net/session.h"

namespace muster::net {

Task<void> Session::commit() {
  const std::uint64_t ticket = thread_.next_ticket();
  thread_.clear_deadline(*this);
  const bool others_wait = thread_.commits().has_waiting(exchange_->admission.lane);
  if (others_wait || !submit_write(ticket)) {
    const bool taken = co_await wait_for_place(ticket);
    if (!taken) co_return;
    thread_.clear_deadline(*this);
  }
  Delivery delivery = co_await thread_.wait_delivery(ticket);
  if (delivery.ticket == 0) co_return goes_on(Next::close);
  goes_on(after_reply(std::move(delivery.reply)));
}

bool Session::submit_write(std::uint64_t ticket) {
  http::Application::Respond respond = [mailbox = thread_.mailbox(),
                                        ticket](http::Response response) {
    mailbox->deliver({ticket, std::move(response), nullptr});
  };
  return thread_.shared().application.commit(exchange_->admission, write_, respond);
}

Task<bool> Session::wait_for_place(std::uint64_t ticket) {
  const Framing& framing = exchange_->parser->framing();
  // A large body is counted where it has its place.
  const std::size_t body = exchange_->body_place ? 0 : framing.content_length;
  CommitQueue& queue = thread_.commits();
  CommitQueue::Entry entry(queue, exchange_->admission.lane, limits::waiting_write_bytes + 2 * body,
                           std::chrono::steady_clock::now(), [this] { wake(); });
  if (!entry.may_commit()) drop_write();
  // Whoever asked gave up long before: agents and proxies do so within a minute.
  thread_.set_deadline(*this, thread_.options().idle_timeout);
  while (!entry.refused()) {
    const bool woken = co_await wait_for_call();
    if (!woken) {
      goes_on(Next::close);
      co_return false;
    }
    exchange_->request->now = thread_.shared().clock.now();  // agents set their clock by Date
    if (entry.refused()) break;
    const bool taken = submit_write(ticket);
    queue.tried(entry, taken);
    if (taken) co_return true;
  }
  drop_write();
  const Error full = thread_.overloaded("Too many writes wait");
  goes_on(answer(thread_.shared().application.refuse(*exchange_->request, full)));
  co_return false;
}

void Session::drop_write() {
  write_ = {};
  exchange_->drop_body();
  exchange_->request->body = {};
  std::string().swap(exchange_->body);
}

Task<bool> Session::wait_for_call() {
  woken_ = false;
  listens_ = true;
  while (!woken_) {
    // What comes meanwhile is the next request's. A head of it is read ahead, since only reading
    // shows the end of a TLS connection; then only a reset tells that the peer is gone.
    const bool reads = pending_.size() < limits::head_bytes;
    if (!reads || !has_unread()) {
      const auto event = reads ? read_waits_for_ : Socket::wait_error;
      const auto [failed] = co_await socket_.async_wait(event, use_task_tuple);
      if (failed || woken_ || !reads) break;
    }
    const std::size_t room = limits::head_bytes - pending_.size();
    const Io got = read(thread_.read_buffer().first(room));
    if (got.state == Io::State::closed) break;
    append_bounded(pending_, {thread_.read_buffer().data(), got.bytes}, limits::head_bytes);
  }
  listens_ = false;
  co_return woken_&& socket_.is_open();
}

}  // namespace muster::net
