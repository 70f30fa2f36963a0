// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/beast/http/basic_parser.hpp>

#include "http/request.h"

namespace muster::net {

/// What a head says about the body behind it and the connection.
struct Framing {
  std::uint64_t content_length = 0;
  bool chunked = false;
  bool encoded = false;  // Content-Encoding: the body is more than it looks
  bool expects_continue = false;
  bool keep_alive = false;
  bool http_1_0 = false;
  bool head_method = false;  // the answer has no body, whatever its length says

  bool has_body() const { return chunked || content_length > 0; }
};

/// Why a head or a chunked body is refused: malformed_request, head_too_large or body_too_large.
struct Refusal {
  Errc code = Errc::malformed_request;
  std::string_view why;
};

/// Size of the head at the front of `input`, with its empty line; 0 if it is not whole yet.
/// `scanned` remembers how far earlier calls looked, so that a trickle costs no rescan.
std::size_t find_head(std::string_view input, std::size_t& scanned);

/// Why the front of an incomplete head cannot become a request; nothing if it still can.
std::optional<Refusal> refuse_front(std::string_view input);

/// One request, read by Beast's parser, and strict where a lenient reader invites smuggling (RFC
/// 9112 2.2, 5.2, 6.1-6.3, 11.2). Views point into what parse_head() was given.
class RequestParser final : private boost::beast::http::basic_parser<true> {
 public:
  /// Fills method, path, query and headers of `request` from a whole head.
  std::optional<Refusal> parse_head(std::string_view head, http::Request& request);
  const Framing& framing() const { return framing_; }

  /// Decodes chunks at the front of `input` to the end of `body`, which stays within `body_max`.
  /// `used` is what need not be shown again. Nothing while all is well: see chunks_done().
  std::optional<Refusal> put_chunks(std::string_view input, std::string& body, std::size_t body_max,
                                    std::size_t& used);
  bool chunks_done() const { return is_done(); }

 private:
  using Text = boost::beast::string_view;
  using Failure = boost::beast::error_code;

  void on_request_impl(boost::beast::http::verb, Text method, Text target, int version,
                       Failure&) override;
  void on_field_impl(boost::beast::http::field, Text name, Text value, Failure&) override;
  void on_chunk_header_impl(std::uint64_t size, Text extensions, Failure&) override;
  std::size_t on_chunk_body_impl(std::uint64_t remain, Text bytes, Failure&) override;
  std::size_t on_body_impl(Text, Failure&) override { return 0; }
  void on_response_impl(int, Text, int, Failure&) override {}
  void on_header_impl(Failure&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Failure&) override {}
  void on_finish_impl(Failure&) override {}

  void take_target(std::string_view target);
  void refuse(Errc code, std::string_view why, Failure&);
  std::optional<Refusal> refused_framing() const;

  http::Request* request_ = nullptr;  // while parse_head() runs, so trailers change nothing
  std::string_view head_;
  Framing framing_;
  std::optional<Refusal> refusal_;
  int hosts_ = 0;
  int lengths_ = 0;
  int encodings_ = 0;
  std::string* body_ = nullptr;
  std::size_t body_max_ = 0;
};

/// Appends within `bytes_max`, which the caller has checked: memory grows with what came and never
/// past that bound, unlike std::string's own doubling.
void append_bounded(std::string& to, std::string_view bytes, std::size_t bytes_max);

}  // namespace muster::net
