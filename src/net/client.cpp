// SPDX-License-Identifier: Apache-2.0
#include "net/client.h"

#include <algorithm>
#include <array>
#include <new>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/text.h"
#include "net/blocking_stream.h"

namespace muster::net {

namespace beast = boost::beast;

namespace {

using Parser = beast::http::response_parser<beast::http::string_body>;

constexpr std::size_t answer_head_bytes = 64 * 1024;
constexpr std::size_t read_step_bytes = 64 * 1024;

Error unavailable(std::string why) {
  return {Errc::unavailable, std::move(why)};
}

/// A context that trusts the system's roots, or those of `ca_file` alone.
Result<SslContextPtr> make_context(const std::string& ca_file) {
  SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  if (!context) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  const bool loaded =
      ca_file.empty() ? SSL_CTX_set_default_verify_paths(context.get()) == 1
                      : SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr) == 1;
  if (!loaded) return invalid_field("ca_file", ca_file + ": " + take_ssl_error());
  return context;
}

/// True when `text` could not break out of its line of the head (RFC 9110 5.5).
bool is_field_value(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

bool is_target(std::string_view text) {
  return text.starts_with('/') && std::all_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) > 0x20 && c != 0x7f;
         });
}

Result<std::string> write_head(const ClientRequest& request, const Origin& origin,
                               const ClientOptions& options) {
  if (!is_target(request.target)) return invalid_field("target", "is not a path");
  CHECK(request.method != http::Method::other);
  std::string head(http::method_name(request.method));
  head.append(" ").append(request.target).append(" HTTP/1.1\r\nHost: ").append(origin.authority());
  head.append("\r\nUser-Agent: ").append(options.user_agent).append("\r\n");
  for (const auto& [name, value] : request.headers) {
    if (name.empty() || !is_field_value(name) || !is_field_value(value)) {
      return invalid_field(name, "is not a header field");
    }
    head.append(name).append(": ").append(value).append("\r\n");
  }
  if (request.method != http::Method::get || !request.body.empty()) {
    head.append("Content-Type: ").append(request.content_type).append("\r\nContent-Length: ");
    head.append(std::to_string(request.body.size())).append("\r\n");
  }
  head.append("\r\n");
  return head;
}

ClientResponse to_response(Parser& parser) {
  ClientResponse response;
  auto& message = parser.get();
  response.status = static_cast<int>(message.result_int());
  for (const auto& field : message) {
    response.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  response.body = std::move(message.body());
  return response;
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

/// Feeds `bytes` to `parser`. Returns what is left over, or why the answer is refused.
Result<std::size_t> feed(Parser& parser, std::string_view bytes) {
  std::size_t used = 0;
  while (!parser.is_done() && used < bytes.size()) {
    beast::error_code error;
    used += parser.put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), error);
    if (error == beast::http::error::need_more) break;
    if (error == beast::http::error::body_limit) return unavailable("oversize answer");
    if (error) return unavailable("malformed answer: " + error.message());
  }
  return used;
}

class AnswerReader {
 public:
  AnswerReader(BlockingStream& stream, const ClientOptions& options, Deadline deadline)
      : stream_(stream), options_(options), deadline_(deadline) {}

  /// The next answer that is not interim (1xx).
  Exchange read() {
    for (;;) {
      Parser parser;
      parser.eager(true);
      parser.header_limit(answer_head_bytes);
      parser.body_limit(options_.response_bytes_max);
      if (auto stopped = fill(parser); stopped.has_value()) return std::move(*stopped);
      const bool interim = parser.get().result_int() / 100 == 1;
      if (interim) continue;
      // Bytes after the answer belong to no request: never reuse such a connection.
      return {to_response(parser), parser.get().keep_alive() && pending_.empty()};
    }
  }

 private:
  /// Reads until `parser` has a whole answer; otherwise how the exchange ended.
  std::optional<Exchange> fill(Parser& parser) {
    std::array<char, read_step_bytes> chunk;  // NOLINT: filled by read_some before it is read
    for (;;) {
      const auto used = feed(parser, pending_);
      if (!used.ok()) return Exchange{used.error()};
      pending_.erase(0, used.value());
      if (parser.is_done()) return std::nullopt;
      const Moved got = stream_.read_some(chunk, deadline_);
      if (got.end == Moved::End::closed) {
        if (!started_) return Exchange{};
        beast::error_code error;
        parser.put_eof(error);
        if (error || !parser.is_done() || !got.why.empty()) return failed("answer was cut off");
        return std::nullopt;
      }
      if (!got.ok()) return failed(got.why);
      started_ = true;
      pending_.append(chunk.data(), got.bytes);
    }
  }

  BlockingStream& stream_;
  const ClientOptions& options_;
  Deadline deadline_;
  std::string pending_;
  bool started_ = false;
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
  Origin parsed = TRY(parse_origin(origin));
  if (!parsed.tls && !is_loopback(parsed.host)) {
    return invalid_field("origin", "plain http is for loopback only: use https");
  }
  if (!is_field_value(options.user_agent)) return invalid_field("user_agent", "has line ends");
  SslContextPtr context;
  if (parsed.tls) context = TRY(make_context(options.ca_file));
  std::string text = parsed.text();
  return Client(std::make_unique<Connection>(
      Connection{std::move(parsed), std::move(text), std::move(options), std::move(context), {}}));
}

Result<ClientResponse> Client::send(const ClientRequest& request) {
  Connection& own = *connection_;
  const std::string head = TRY(write_head(request, own.origin, own.options));
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

const std::string& Client::origin() const {
  return connection_->origin_text;
}

}  // namespace muster::net
