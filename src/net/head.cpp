// SPDX-License-Identifier: Apache-2.0
#include "net/head.h"

#include <algorithm>

#include <boost/asio/buffer.hpp>

#include "base/limits.h"
#include "base/text.h"

namespace muster::net {

namespace beast = boost::beast;

namespace {

constexpr std::string_view head_end = "\r\n\r\n";

std::string_view std_view(beast::string_view text) {
  return {text.data(), text.size()};
}

http::Method method_of(beast::http::verb verb) {
  switch (verb) {
    case beast::http::verb::get:
      return http::Method::get;
    case beast::http::verb::head:
      return http::Method::head;
    case beast::http::verb::post:
      return http::Method::post;
    case beast::http::verb::put:
      return http::Method::put;
    case beast::http::verb::patch:
      return http::Method::patch;
    case beast::http::verb::delete_:
      return http::Method::del;
    default:
      return http::Method::other;
  }
}

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::size_t find_head(std::string_view input, std::size_t& scanned) {
  const auto at = input.find(head_end, scanned);
  if (at != std::string_view::npos) return at + head_end.size();
  scanned = input.size() < head_end.size() ? 0 : input.size() - head_end.size() + 1;
  return 0;
}

std::optional<Refusal> refuse_front(std::string_view input) {
  // A TLS hello or binary noise would otherwise hold the connection until the head times out.
  const auto bad = std::find_if(input.begin(), input.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\r' && c != '\n' && c != '\t';
  });
  if (bad != input.end()) return Refusal{Errc::malformed_request, "control character in the head"};
  const bool bare_line_end = input.find("\n\n") != std::string_view::npos;
  if (bare_line_end) return Refusal{Errc::malformed_request, "line does not end with CRLF"};
  return std::nullopt;
}

void RequestParser::refuse(Errc code, std::string_view why, Failure& failure) {
  refusal_ = Refusal{code, why};
  failure = beast::http::error::bad_value;
}

void RequestParser::take_target(std::string_view target) {
  // Absolute form (RFC 9112 3.2.2): the authority is dropped, Host is what counts here.
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    const auto path = target.find_first_of("/?", scheme.size());
    target = path == std::string_view::npos ? "/" : target.substr(path);
    break;
  }
  const auto query = target.find('?');
  request_->path = target.substr(0, query);
  if (query != std::string_view::npos) request_->query = target.substr(query + 1);
}

void RequestParser::on_request_impl(beast::http::verb verb, Text, Text target, int version,
                                    Failure& failure) {
  request_->method = method_of(verb);
  framing_.http_1_0 = version == 10;
  framing_.head_method = request_->method == http::Method::head;
  take_target(std_view(target));
  const bool asterisk = request_->path == "*";
  if (!request_->path.starts_with('/') && !asterisk)
    refuse(Errc::malformed_request, "target is not a path", failure);
}

void RequestParser::on_field_impl(beast::http::field field, Text name, Text value,
                                  Failure& failure) {
  if (request_ == nullptr) return;  // a trailer: nothing here wants one
  const std::string_view text = std_view(value);
  const bool in_head = text.data() >= head_.data() && text.data() <= head_.data() + head_.size();
  if (!in_head) return refuse(Errc::malformed_request, "folded header field", failure);
  if (!request_->headers.add(std_view(name), text)) {
    return refuse(Errc::head_too_large, "too many header fields", failure);
  }
  switch (field) {
    case beast::http::field::host:
      ++hosts_;
      break;
    case beast::http::field::content_length:
      ++lengths_;
      if (!all_digits(text)) refuse(Errc::malformed_request, "bad Content-Length", failure);
      break;
    case beast::http::field::transfer_encoding:
      ++encodings_;
      if (!equal_folded(text, "chunked"))
        refuse(Errc::malformed_request, "unknown Transfer-Encoding", failure);
      break;
    case beast::http::field::content_encoding:
      framing_.encoded = true;
      break;
    case beast::http::field::expect:
      framing_.expects_continue = equal_folded(text, "100-continue");
      break;
    default:
      break;
  }
}

std::optional<Refusal> RequestParser::refused_framing() const {
  if (lengths_ > 1) return Refusal{Errc::malformed_request, "several Content-Length"};
  if (lengths_ > 0 && encodings_ > 0) {
    return Refusal{Errc::malformed_request, "both Content-Length and Transfer-Encoding"};
  }
  if (encodings_ > 0 && framing_.http_1_0)
    return Refusal{Errc::malformed_request, "Transfer-Encoding in HTTP/1.0"};
  if (hosts_ > 1 || (hosts_ == 0 && !framing_.http_1_0))
    return Refusal{Errc::malformed_request, "not one Host"};
  return std::nullopt;
}

std::optional<Refusal> RequestParser::parse_head(std::string_view head, http::Request& request) {
  request_ = &request;
  head_ = head;
  // The session knows the route's bound; Beast's own would refuse everything over 1 MiB.
  body_limit(boost::none);
  header_limit(static_cast<std::uint32_t>(head.size() + 1));
  Failure failure;
  const std::size_t used = put(boost::asio::buffer(head.data(), head.size()), failure);
  request_ = nullptr;
  if (refusal_.has_value()) return refusal_;
  if (failure || used != head.size() || !is_header_done())
    return Refusal{Errc::malformed_request, "malformed head"};
  if (auto refused = refused_framing()) return refused;
  framing_.chunked = chunked();
  framing_.content_length = content_length().value_or(0);
  framing_.keep_alive = keep_alive();
  framing_.expects_continue = framing_.expects_continue && !framing_.http_1_0;
  return std::nullopt;
}

void RequestParser::on_chunk_header_impl(std::uint64_t size, Text, Failure& failure) {
  if (size > body_max_ - body_->size()) refuse(Errc::body_too_large, "body too large", failure);
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, Text bytes, Failure&) {
  append_bounded(*body_, std_view(bytes), body_max_);
  return bytes.size();
}

std::optional<Refusal> RequestParser::put_chunks(std::string_view input, std::string& body,
                                                 std::size_t body_max, std::size_t& used) {
  used = 0;
  // Beast 1.81 asserts that it never sees the start of "0\r\n\r\n" alone. Whatever state a body is
  // in, at least these five bytes are still to come, so waiting for them holds up nobody.
  constexpr std::size_t shortest_end = 5;
  if (input.size() < shortest_end) return std::nullopt;
  body_ = &body;
  body_max_ = body_max;
  eager(true);
  Failure failure;
  used = put(boost::asio::buffer(input.data(), input.size()), failure);
  if (refusal_.has_value()) return refusal_;
  if (failure && failure != beast::http::error::need_more)
    return Refusal{Errc::malformed_request, "malformed chunk"};
  // Between chunks there is only framing: extensions and trailers are held to a head's size.
  if (!is_done() && input.size() - used > limits::head_bytes)
    return Refusal{Errc::malformed_request, "chunk framing"};
  return std::nullopt;
}

void append_bounded(std::string& to, std::string_view bytes, std::size_t bytes_max) {
  const std::size_t needed = to.size() + bytes.size();
  if (needed > to.capacity()) to.reserve(std::max(needed, std::min(bytes_max, 2 * needed)));
  to.append(bytes);
}

}  // namespace muster::net
