// SPDX-License-Identifier: Apache-2.0
// The bodies of requests.
#include <algorithm>

#include "net/session.h"

namespace muster::net {

Task<void> Session::read_body() {
  Exchange& exchange = *exchange_;
  const std::uint64_t length = exchange.parser->framing().content_length;
  allow(thread_.options().body_timeout, length);
  while (exchange.body.size() < length) {
    const auto bytes = co_await read_more(length - exchange.body.size());
    if (bytes.empty()) co_return goes_on(Next::close);
    append_bounded(exchange.body, {bytes.data(), bytes.size()}, length);
  }
  exchange.request->body = exchange.body;
  goes_on(run_here_or_wait());
}

Task<void> Session::read_long_body() {
  Exchange& exchange = *exchange_;
  std::uint64_t left = exchange.parser->framing().content_length;
  allow(thread_.options().body_timeout, left);
  exchange.shortener.emplace(exchange.admission.body_max, limits::long_result_text_bytes);
  const auto here = std::min<std::uint64_t>(left, pending_.size());
  exchange.shortener->put(std::string_view(pending_).substr(0, here));
  pending_.erase(0, here);
  left -= here;
  while (left > 0) {
    const auto bytes = co_await read_more(left);
    if (bytes.empty()) co_return goes_on(Next::close);
    exchange.shortener->put({bytes.data(), bytes.size()});
    left -= bytes.size();
  }
  goes_on(run_shortened());
}

Session::Next Session::run_shortened() {
  Exchange& exchange = *exchange_;
  exchange.body = exchange.shortener->take();
  exchange.request->body_shortened = exchange.shortener->shortened();
  exchange.request->body = exchange.body;
  return run_here_or_wait();
}

Task<void> Session::read_chunks() {
  Exchange& exchange = *exchange_;
  const http::Admission& admission = exchange.admission;
  const bool shortens = admission.shortened_max > 0;
  if (shortens) exchange.shortener.emplace(admission.body_max, limits::long_result_text_bytes);
  allow(thread_.options().body_timeout, admission.body_max);
  std::uint64_t length = 0;
  for (;;) {
    std::size_t used = 0;
    const auto refused =
        exchange.parser->put_chunks(pending_, exchange.body, admission.body_max, used);
    if (refused) co_return goes_on(refuse_head(*refused));
    pending_.erase(0, used);
    const std::size_t held =
        shortens ? std::min<std::uint64_t>(length + exchange.body.size(), admission.body_max)
                 : exchange.body.capacity();
    const bool large = held > thread_.options().inline_body_bytes;
    if (large && !exchange.body_place->cover(held)) co_return goes_on(refuse_for_bodies());
    if (shortens) {
      length += exchange.body.size();
      if (length > admission.shortened_max) {
        co_return goes_on(refuse_and_close({Errc::body_too_large, "body too large"}));
      }
      exchange.shortener->put(exchange.body);
      exchange.body.clear();
    }
    if (exchange.parser->chunks_done()) break;
    const auto bytes = co_await read_more(IoThread::read_buffer_bytes);
    if (bytes.empty()) co_return goes_on(Next::close);
    pending_.append(bytes.data(), bytes.size());
  }
  if (shortens) co_return goes_on(run_shortened());
  exchange.request->body = exchange.body;
  goes_on(run_here_or_wait());
}

Task<void> Session::discard() {
  thread_.set_deadline(*this, thread_.options().body_timeout);
  while (to_discard_ > 0) {
    const auto bytes = co_await read_more(to_discard_);
    if (bytes.empty()) co_return goes_on(Next::close);
    to_discard_ -= bytes.size();
  }
  goes_on(Next::next_request);
}

}  // namespace muster::net
