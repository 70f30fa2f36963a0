// SPDX-License-Identifier: Apache-2.0
#include "net/client.h"

#include <array>
#include <optional>

#include "base/text.h"
#include "net/blocking_stream.h"
#include "net/client_message.h"
#include "net/client_tls.h"

namespace muster::net {

namespace {

constexpr std::size_t read_step_bytes = 64 * 1024;

Error unavailable(std::string why) {
  return {Errc::unavailable, std::move(why)};
}

/// How one exchange on one connection ended: with an answer, with a failure, or with neither
/// because the peer had closed it before any byte of an answer.
struct Exchange {
  std::optional<Result<ClientResponse>> outcome;
  bool keep_alive = false;
};

Exchange failed(std::string why) {
  return {unavailable(std::move(why))};
}

class AnswerReader {
 public:
  AnswerReader(BlockingStream& stream, const ClientOptions& options, Deadline deadline)
      : stream_(stream), parser_(options.response_bytes_max), deadline_(deadline) {}

  /// The next answer that is not interim (1xx).
  Exchange read() {
    if (auto stopped = fill(); stopped.has_value()) return std::move(*stopped);
    const bool keep_alive = parser_.keep_alive();
    return {parser_.take(), keep_alive};
  }

 private:
  /// Reads until there is a whole answer; otherwise how the exchange ended.
  std::optional<Exchange> fill() {
    std::array<char, read_step_bytes> chunk;  // NOLINT: filled by read_some before it is read
    for (;;) {
      const Moved got = stream_.read_some(chunk, deadline_);
      if (got.end == Moved::End::closed) {
        if (!parser_.started()) return Exchange{};
        if (!got.why.empty() || !parser_.end()) return failed("answer was cut off");
        return std::nullopt;
      }
      if (!got.ok()) return failed(got.why);
      if (auto taken = parser_.put({chunk.data(), got.bytes}); !taken.ok()) {
        return Exchange{taken.error()};
      }
      if (parser_.done()) return std::nullopt;
    }
  }

  BlockingStream& stream_;
  AnswerParser parser_;
  Deadline deadline_;
};

/// Bodies up to here travel in one segment with the head.
constexpr std::size_t joined_body_bytes = 16 * 1024;

Exchange exchange(BlockingStream& stream, const ClientRequest& request, std::string head,
                  const ClientOptions& options) {
  const Deadline deadline = std::chrono::steady_clock::now() + options.request_timeout;
  const bool joined = request.body.size() <= joined_body_bytes;
  if (joined) head.append(request.body);
  Moved sent = stream.write(head, deadline);
  bool whole = sent.ok() && sent.bytes == head.size();
  if (whole && !joined) {
    sent = stream.write(request.body, deadline);
    whole = sent.ok() && sent.bytes == request.body.size();
  }
  // Even then there may be an answer: a server refuses a body without reading it, and closes.
  if (!sent.ok() && sent.end != Moved::End::closed) return failed(sent.why);
  Exchange done = AnswerReader(stream, options, deadline).read();
  done.keep_alive = done.keep_alive && whole;
  return done;
}

}  // namespace

struct Client::Connection {
  Origin origin;
  std::string origin_text;
  ClientOptions options;
  SslContextPtr context;
  BlockingStream stream;
};

std::string_view ClientResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equal_folded(key, name)) return value;
  }
  return {};
}

Client::Client(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Result<Client> Client::create(std::string_view origin, ClientOptions options) {
  Origin parsed = TRY(parse_callable_origin(origin));
  if (!is_field_value(options.user_agent)) return invalid_field("user_agent", "has line ends");
  SslContextPtr context;
  if (parsed.tls) context = TRY(make_client_context(options.ca_file));
  std::string text = parsed.text();
  return Client(std::make_unique<Connection>(
      Connection{std::move(parsed), std::move(text), std::move(options), std::move(context), {}}));
}

Result<ClientResponse> Client::send(const ClientRequest& request) {
  Connection& own = *connection_;
  const std::string head = TRY(write_request_head(request, own.origin, own.options.user_agent));
  for (;;) {
    const bool reused = static_cast<bool>(own.stream);
    if (!reused) {
      const Deadline deadline = std::chrono::steady_clock::now() + own.options.connect_timeout;
      own.stream = TRY(BlockingStream::connect(own.origin, own.context.get(), deadline));
    }
    Exchange done = exchange(own.stream, request, head, own.options);
    if (!done.keep_alive) own.stream.close();
    if (done.outcome.has_value()) return std::move(*done.outcome);
    if (!reused) return unavailable(own.origin.authority() + ": closed without an answer");
  }
}

Client Client::another() const {
  const Connection& own = *connection_;
  SslContextPtr context;
  if (own.context) {
    ::SSL_CTX_up_ref(own.context.get());
    context.reset(own.context.get());
  }
  return Client(std::make_unique<Connection>(
      Connection{own.origin, own.origin_text, own.options, std::move(context), {}}));
}

const std::string& Client::origin() const {
  return connection_->origin_text;
}

}  // namespace muster::net
