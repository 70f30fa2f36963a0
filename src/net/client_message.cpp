// SPDX-License-Identifier: Apache-2.0
#include "net/client_message.h"

#include <algorithm>
#include <optional>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace muster::net {

namespace beast = boost::beast;

namespace {

using Parser = beast::http::response_parser<beast::http::string_body>;

constexpr std::size_t answer_head_bytes = 64 * 1024;

bool is_target(std::string_view text) {
  return text.starts_with('/') && std::all_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) > 0x20 && c != 0x7f;
         });
}

Error unavailable(std::string why) {
  return {Errc::unavailable, std::move(why)};
}

/// Feeds `bytes` to `parser`. Returns how many it took, or why the answer is refused.
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

}  // namespace

bool is_field_value(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

Result<std::string> write_request_head(const ClientRequest& request, const Origin& origin,
                                       std::string_view user_agent) {
  if (!is_target(request.target)) return invalid_field("target", "is not a path");
  CHECK(request.method != http::Method::other);
  std::string head(http::method_name(request.method));
  head.append(" ").append(request.target).append(" HTTP/1.1\r\nHost: ").append(origin.authority());
  head.append("\r\nUser-Agent: ").append(user_agent).append("\r\n");
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

struct AnswerParser::State {
  explicit State(std::size_t most) : body_bytes_max(most) { begin(); }

  void begin() {
    parser.emplace();
    parser->eager(true);
    parser->header_limit(answer_head_bytes);
    parser->body_limit(body_bytes_max);
  }

  std::size_t body_bytes_max;
  std::optional<Parser> parser;
  std::string pending;  // not taken by the parser yet
  bool started = false;
};

AnswerParser::AnswerParser(std::size_t body_bytes_max)
    : state_(std::make_unique<State>(body_bytes_max)) {}
AnswerParser::~AnswerParser() = default;
AnswerParser::AnswerParser(AnswerParser&&) noexcept = default;
AnswerParser& AnswerParser::operator=(AnswerParser&&) noexcept = default;

Result<void> AnswerParser::put(std::string_view bytes) {
  State& own = *state_;
  own.started = own.started || !bytes.empty();
  own.pending.append(bytes);
  for (;;) {
    own.pending.erase(0, TRY(feed(*own.parser, own.pending)));
    const bool interim = own.parser->is_done() && own.parser->get().result_int() / 100 == 1;
    if (!interim) return {};
    own.begin();
  }
}

bool AnswerParser::end() {
  beast::error_code error;
  state_->parser->put_eof(error);
  return !error && state_->parser->is_done();
}

bool AnswerParser::started() const {
  return state_->started;
}

bool AnswerParser::done() const {
  return state_->parser->is_done();
}

bool AnswerParser::keep_alive() const {
  return state_->parser->get().keep_alive() && state_->pending.empty();
}

ClientResponse AnswerParser::take() {
  ClientResponse response;
  auto& message = state_->parser->get();
  response.status = static_cast<int>(message.result_int());
  for (const auto& field : message) {
    response.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  response.body = std::move(message.body());
  return response;
}

}  // namespace muster::net
