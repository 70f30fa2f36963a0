// SPDX-License-Identifier: Apache-2.0
// Answers whose body is read piece by piece, on the workers, while it is sent.
#include <algorithm>
#include <utility>

#include "net/session.h"

namespace muster::net {

bool Session::take_stream(http::Response& response) {
  Exchange& exchange = *exchange_;
  if (!response.stream || exchange.parser->framing().head_method) return true;
  ServerShared& shared = thread_.shared();
  if (exchange.request->caller.kind == http::Caller::Kind::nobody) {
    exchange.stranger_place =
        StreamPlace::take(shared.stranger_streams, shared.options.stranger_streams_max);
    if (!exchange.stranger_place) return false;
  }
  exchange.place = StreamPlace::take(shared.streams, shared.options.streams_max);
  if (!exchange.place) return false;
  exchange.stream = response.stream;
  return true;
}

Task<void> Session::stream() {
  const Duration timeout = thread_.options().write_timeout;
  const auto rate = thread_.options().slowest_bytes_per_second;
  const Clock& clock = thread_.shared().clock;
  const Instant began = clock.now();
  std::uint64_t moved = 0;
  while (exchange_->stream->bytes > 0) {
    const bool read = co_await read_piece();
    if (!read) co_return goes_on(Next::close);
    // Who was quick before may not be idle for longer now, and who is slow throughout is given up.
    moved += exchange_->unsent_body.size();
    const Duration in_all = timeout + std::chrono::seconds(moved / rate) - (clock.now() - began);
    const Duration piece = timeout + std::chrono::seconds(exchange_->unsent_body.size() / rate);
    thread_.set_deadline(*this, std::clamp(in_all, Duration(0), piece));
    const bool sent = co_await write_all(exchange_->unsent_body);
    if (!sent) co_return goes_on(Next::close);
  }
  goes_on(answered());
}

Task<bool> Session::read_piece() {
  const std::uint64_t ticket = thread_.next_ticket();
  thread_.clear_deadline(*this);
  thread_.shared().workers.go_on({ticket, std::move(exchange_), thread_.mailbox()});
  Delivery delivery = co_await thread_.wait_delivery(ticket);
  if (delivery.ticket == 0) co_return false;
  exchange_ = std::move(delivery.exchange);
  co_return !exchange_->unsent_body.empty();
}

}  // namespace muster::net
