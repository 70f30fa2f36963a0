// SPDX-License-Identifier: Apache-2.0
#include "net/session.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "net/answer.h"
#include "net/proxy_header.h"

namespace muster::net {

namespace {

/// Answers up to here are sent in one call with their head.
constexpr std::size_t joined_body_bytes = 16 * limits::KiB;

bool is_inside(std::string_view part, const std::string& whole) {
  return std::greater_equal<>()(part.data(), whole.data()) &&
         std::less_equal<>()(part.data() + part.size(), whole.data() + whole.size());
}

}  // namespace

Session::Session(IoThread& thread, Socket socket, const IpAddress& peer)
    : thread_(thread),
      socket_(std::move(socket)),
      through_proxy_(contains(thread.options().trusted_proxies, peer)) {
  set_peer(peer);
}

Session::~Session() {
  close();
  thread_.closed();
}

Task<void> Session::run(std::unique_ptr<Session> session) {
  Session& self = *session;
  if (self.has_opening()) {
    const bool opened = co_await self.open();
    if (!opened) co_return;
  }
  self.thread_.set_deadline(self, self.thread_.options().head_timeout);
  for (;;) {
    if (!self.has_unread()) {
      const auto [failed] = co_await self.socket_.async_wait(self.read_waits_for_, use_task_tuple);
      if (failed) co_return;
    }
    const Io got = self.receive();
    if (got.state == Io::State::closed) co_return;
    if (got.bytes == 0) continue;  // part of a TLS record buys no time
    Next next = self.advance();
    while (next == Next::next_request || next == Next::wait) {
      if (next == Next::wait) {
        const bool stays = co_await self.finish();
        if (!stays) co_return;
      }
      next = self.advance();
    }
    if (next == Next::close || !self.expect_request()) co_return;
  }
}

void Session::close() {
  // The descriptor's number may soon be another connection's: nothing may reach it through TLS.
  if (tls_) say_goodbye(tls_.get());
  tls_.reset();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void Session::drain() {
  if (stage_ == Stage::live) return close();
  if (!idle_) return;
  char byte = 0;
  if (::recv(socket(), &byte, 1, MSG_PEEK) <= 0) close();
}

void Session::allow(Duration timeout, std::uint64_t bytes) {
  const auto seconds = bytes / thread_.options().slowest_bytes_per_second;
  thread_.set_deadline(*this, timeout + std::chrono::seconds(seconds));
}

// --- Input -----------------------------------------------------------------------------------

Io Session::read(std::span<char> out) {
  const Io got = tls_ ? read_some(tls_.get(), out) : read_some(socket(), out);
  read_waits_for_ = got.state == Io::State::wait_write ? Socket::wait_write : Socket::wait_read;
  return got;
}

Io Session::write(std::string_view bytes) {
  return tls_ ? write_some(tls_.get(), bytes) : write_some(socket(), bytes);
}

Task<bool> Session::wait(Io::State state) {
  const auto event = state == Io::State::wait_write ? Socket::wait_write : Socket::wait_read;
  const auto [failed] = co_await socket_.async_wait(event, use_task_tuple);
  co_return !failed;
}

Io Session::receive() {
  std::span<char> room = thread_.read_buffer();
  // A head that is not whole is in pending_: never hold more of it than a head may have.
  if (!pending_.empty()) room = room.first(limits::head_bytes + 1 - pending_.size());
  const Io got = read(room);
  input_ = {room.data(), got.bytes};
  if (!pending_.empty()) {
    append_bounded(pending_, input_, limits::head_bytes + 1);
    input_ = pending_;
  }
  return got;
}

void Session::keep_input() {
  if (input_.empty()) {
    if (pending_.capacity() > std::string().capacity()) std::string().swap(pending_);
    pending_.clear();
  } else if (is_inside(input_, pending_)) {
    pending_.erase(0, static_cast<std::size_t>(input_.data() - pending_.data()));
  } else {
    pending_.clear();
    append_bounded(pending_, input_, std::max(input_.size(), limits::head_bytes));
  }
  input_ = pending_;
}

bool Session::expect_request() {
  keep_input();
  idle_ = pending_.empty() && !has_unread();
  if (idle_) {
    thread_.set_deadline(*this, thread_.options().idle_timeout);
    return !thread_.draining();
  }
  // From its first byte on, whatever comes later: a trickle buys no time.
  if (!head_begun_) thread_.set_deadline(*this, thread_.options().head_timeout);
  head_begun_ = true;
  return true;
}

// --- What need not wait ----------------------------------------------------------------------

Session::Next Session::advance() {
  while (input_.starts_with("\r\n")) input_.remove_prefix(2);  // RFC 9112 2.2
  if (input_.empty()) return Next::more_input;
  const std::size_t seen = scanned_;
  const std::size_t head_size = find_head(input_, scanned_);
  if (head_size > limits::head_bytes || (head_size == 0 && input_.size() > limits::head_bytes)) {
    return refuse_head({Errc::head_too_large, "head too large"});
  }
  if (head_size == 0) {
    const auto refused = refuse_front(input_.substr(seen));
    return refused ? refuse_head(*refused) : Next::more_input;
  }
  scanned_ = 0;
  head_begun_ = false;
  const std::string_view head = input_.substr(0, head_size);
  input_.remove_prefix(head_size);
  return start(head);
}

Exchange& Session::open_exchange() {
  exchange_ = thread_.take_exchange();
  exchange_->parser.emplace();
  http::Request& request = exchange_->request.emplace();
  request.peer_address = peer_text_;
  request.through_proxy = through_proxy_;
  request.now = thread_.shared().clock.now();
  request.strained = thread_.strained();
  after_ = Stage::done;
  return *exchange_;
}

Session::Next Session::start(std::string_view head) {
  Exchange& exchange = open_exchange();
  exchange.head.assign(head);
  http::Request& request = *exchange.request;
  if (auto refused = exchange.parser->parse_head(exchange.head, request)) {
    return refuse_head(*refused);
  }
  if (through_proxy_) believe_proxy(request);
  auto verdict = thread_.shared().application.admit(request);
  if (auto* refused = std::get_if<http::Response>(&verdict)) {
    return refuse_with(std::move(*refused));
  }
  exchange.admission = std::get<http::Admission>(verdict);
  return take_body();
}

void Session::believe_proxy(http::Request& request) {
  const auto& trusted = thread_.options().trusted_proxies;
  const std::string list = request.headers.list("X-Forwarded-For");
  exchange_->peer = format_ip_address(forwarded_client(peer_, list, trusted));
  request.peer_address = exchange_->peer;
}

Session::Next Session::take_body() {
  Exchange& exchange = *exchange_;
  const Framing& framing = exchange.parser->framing();
  const bool is_long = framing.content_length > exchange.admission.body_max;
  if (is_long && framing.content_length > exchange.admission.shortened_max) {
    return refuse_and_close({Errc::body_too_large, "body too large"});
  }
  if (!framing.has_body()) return run_here_or_wait();
  const std::size_t held =
      std::min<std::uint64_t>(framing.content_length, exchange.admission.body_max);
  if (!take_body_place(held)) return refuse_for_bodies();
  if (framing.expects_continue && input_.empty() && !say_continue()) return Next::close;
  if (is_long) return wait_at(Stage::read_long_body);
  if (framing.chunked) return wait_at(Stage::read_chunks);
  if (input_.size() < framing.content_length) {
    append_bounded(exchange.body, input_, framing.content_length);
    input_ = {};
    return wait_at(Stage::read_body);
  }
  exchange.request->body = input_.substr(0, framing.content_length);
  input_.remove_prefix(framing.content_length);
  return run_here_or_wait();
}

bool Session::take_body_place(std::uint64_t bytes) {
  Exchange& exchange = *exchange_;
  const Framing& framing = exchange.parser->framing();
  const bool small = bytes <= thread_.options().inline_body_bytes;
  if (small && !framing.chunked && !framing.encoded) return true;
  http::Request& request = *exchange.request;
  exchange.body_place.emplace(thread_.shared().bodies, exchange.admission.lane, request.caller);
  request.body_place = &*exchange.body_place;
  return exchange.body_place->cover(bytes);
}

Session::Next Session::refuse_for_bodies() {
  return refuse_and_close(thread_.overloaded("Too many large bodies are under way"));
}

bool Session::say_continue() {
  constexpr std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";
  // A peer whose socket has no room for these bytes does not read: not worth waiting for.
  return write(interim).bytes == interim.size();
}

Session::Next Session::run_here_or_wait() {
  Exchange& exchange = *exchange_;
  const bool large = exchange.request->body.size() > thread_.options().inline_body_bytes ||
                     exchange.parser->framing().encoded;
  const http::RunOn run_on = exchange.admission.run_on;
  if (large || run_on == http::RunOn::read || run_on == http::RunOn::slow) {
    exchange.own();
    return wait_at(Stage::work);
  }
  return after_reply(thread_.shared().application.handle(exchange.admission, *exchange.request));
}

Session::Next Session::refuse_head(const Refusal& refusal) {
  if (!exchange_) open_exchange();
  return refuse_and_close({refusal.code, std::string(refusal.why)});
}

Session::Next Session::refuse_and_close(const Error& error) {
  http::Response response = thread_.shared().application.refuse(*exchange_->request, error);
  after_ = Stage::linger;
  input_ = {};
  return answer(std::move(response));
}

Session::Next Session::refuse_with(http::Response response) {
  const Framing& framing = exchange_->parser->framing();
  if (!framing.has_body()) return answer(std::move(response));
  if (framing.chunked || framing.expects_continue || !framing.keep_alive ||
      framing.content_length > limits::discard_bytes) {
    after_ = Stage::linger;
    input_ = {};
    return answer(std::move(response));
  }
  const auto here = std::min<std::uint64_t>(framing.content_length, input_.size());
  input_.remove_prefix(here);
  to_discard_ = framing.content_length - here;
  if (to_discard_ > 0) after_ = Stage::discard;
  return answer(std::move(response));
}

Session::Next Session::after_reply(http::Reply reply) {
  if (auto* response = std::get_if<http::Response>(&reply)) return answer(std::move(*response));
  write_ = std::get<http::Write>(std::move(reply));
  return wait_at(Stage::commit);
}

Session::Next Session::answer(http::Response response) {
  Exchange& exchange = *exchange_;
  exchange.drop_body();
  if (!take_stream(response)) {
    const Error full = thread_.overloaded("Too many downloads are under way");
    response = thread_.shared().application.refuse(*exchange.request, full);
  }
  const Framing& framing = exchange.parser->framing();
  if (!framing.head_method) exchange.live = response.live;
  const bool goes_on = framing.keep_alive && !thread_.draining() && !response.live;
  if (!goes_on && after_ != Stage::linger) after_ = Stage::close;
  const bool closes = after_ == Stage::close || after_ == Stage::linger;
  std::string& out = thread_.answer_buffer();
  append_answer_head(out, response,
                     {thread_.http_date(exchange.request->now), closes, framing.http_1_0});
  const bool bodiless = !allows_body(response.status) || framing.head_method;
  const std::string_view body = bodiless ? std::string_view() : response.octets();
  const bool joined = body.size() <= joined_body_bytes;
  if (joined) out.append(body);
  const Io sent = write(out);
  if (sent.state == Io::State::closed) return Next::close;
  if (exchange.stream && sent.bytes == out.size()) return wait_at(Stage::stream);
  if (exchange.live && sent.bytes == out.size()) return wait_at(Stage::live);
  if (joined && sent.bytes == out.size()) return answered();
  exchange.unsent.assign(out, sent.bytes);
  if (!joined) {
    exchange.unsent_kept_body = response.kept_body;
    exchange.unsent_body = std::move(response.body);
  }
  return wait_at(Stage::send);
}

Session::Next Session::answered() {
  thread_.give_back(std::move(exchange_));
  if (after_ == Stage::close) return Next::close;
  return after_ == Stage::done ? Next::next_request : wait_at(after_);
}

// --- What has to wait ------------------------------------------------------------------------

Task<bool> Session::finish() {
  keep_input();
  idle_ = false;
  for (;;) {
    switch (stage_) {
      case Stage::read_body:
        co_await read_body();
        break;
      case Stage::read_long_body:
        co_await read_long_body();
        break;
      case Stage::read_chunks:
        co_await read_chunks();
        break;
      case Stage::work:
        co_await work();
        break;
      case Stage::commit:
        co_await commit();
        break;
      case Stage::send:
        co_await send();
        break;
      case Stage::stream:
        co_await stream();
        break;
      case Stage::live:
        co_await live();
        break;
      case Stage::discard:
        co_await discard();
        break;
      case Stage::linger:
        co_await linger();
        break;
      case Stage::close:
        co_return false;
      case Stage::done:
        input_ = pending_;
        co_return true;
    }
  }
}

void Session::goes_on(Next next) {
  if (next == Next::close) stage_ = Stage::close;
  if (next == Next::next_request) stage_ = Stage::done;
}

Task<std::span<const char>> Session::read_more(std::size_t bytes_max) {
  const auto room = thread_.read_buffer().first(std::min(bytes_max, thread_.read_buffer().size()));
  for (;;) {
    if (!has_unread()) {
      const auto [failed] = co_await socket_.async_wait(read_waits_for_, use_task_tuple);
      if (failed) co_return std::span<const char>();
    }
    const Io got = read(room);
    if (got.state == Io::State::closed) co_return std::span<const char>();
    if (got.bytes > 0) co_return room.first(got.bytes);
  }
}

Task<bool> Session::write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const Io sent = write(bytes);
    if (sent.state == Io::State::closed) co_return false;
    bytes.remove_prefix(sent.bytes);
    if (sent.state == Io::State::done) continue;
    const bool goes_on = co_await wait(sent.state);
    if (!goes_on) co_return false;
  }
  co_return true;
}

Task<void> Session::work() {
  ServerShared& shared = thread_.shared();
  const bool slow = exchange_->admission.run_on == http::RunOn::slow;
  Work work{thread_.next_ticket(), std::move(exchange_), thread_.mailbox()};
  if (!(slow ? shared.slow_workers : shared.workers).submit(work)) {
    exchange_ = std::move(work.exchange);
    const Error full = thread_.overloaded("Too many requests wait");
    co_return goes_on(answer(shared.application.refuse(*exchange_->request, full)));
  }
  thread_.clear_deadline(*this);
  Delivery delivery = co_await thread_.wait_delivery(work.ticket);
  if (delivery.ticket == 0) co_return goes_on(Next::close);
  exchange_ = std::move(delivery.exchange);
  goes_on(after_reply(std::move(delivery.reply)));
}

Task<void> Session::send() {
  Exchange& exchange = *exchange_;
  const std::string_view body = exchange.unsent_kept_body.empty()
                                    ? std::string_view(exchange.unsent_body)
                                    : exchange.unsent_kept_body;
  allow(thread_.options().write_timeout, body.size());
  const bool head_sent = co_await write_all(exchange.unsent);
  if (!head_sent) co_return goes_on(Next::close);
  if (exchange.stream) {
    stage_ = Stage::stream;
    co_return;
  }
  if (exchange.live) {
    stage_ = Stage::live;
    co_return;
  }
  const bool body_sent = co_await write_all(body);
  goes_on(body_sent ? answered() : Next::close);
}

Task<void> Session::linger() {
  co_await drop_input();
  goes_on(Next::close);
}

Task<void> Session::drop_input() {
  // Closing with unread input resets the connection, and the peer may never see the answer.
  if (tls_) say_goodbye(tls_.get());
  ::shutdown(socket(), SHUT_WR);
  thread_.set_deadline(*this, std::min(limits::linger_timeout, thread_.options().body_timeout));
  for (;;) {
    const bool readable = co_await wait(Io::State::wait_read);
    if (!readable) co_return;
    // Nobody looks at these bytes: TLS records are not even opened.
    if (read_some(socket(), thread_.read_buffer()).state == Io::State::closed) co_return;
  }
}

}  // namespace muster::net
