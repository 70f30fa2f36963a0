// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/session.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"
#include "http/router.h"

namespace muster::ctl {

namespace {

Errc parse_errc(std::string_view name, int status) {
#define ERRC(code, code_status) \
  if (name == #code) return Errc::code;
#include "base/errc.def"
#undef ERRC
  // A code that a newer server made up: its status says as much as the exit code needs.
  return status < 500 ? Errc::invalid_field : Errc::unavailable;
}

Error refusal_of(const net::ClientResponse& answer) {
  JsonDocument document;
  const Result<Json> body = document.parse(answer.body);
  const auto text = [&](std::string_view name) {
    const auto value = body.ok() ? body->find(name) : std::nullopt;
    return std::string(value ? value->string().value_or("") : "");
  };
  Error error{parse_errc(text("error"), answer.status), text("message"), text("field")};
  if (text("error").empty()) {
    error.code = Errc::unavailable;
    error.message = "HTTP " + std::to_string(answer.status) + ", which is no answer of Muster";
    // A proxy's word, or of a server that speaks HTTPS; its page of HTML would say nothing.
    const std::string_view line = std::string_view(answer.body).substr(0, answer.body.find('\n'));
    const bool said = !line.empty() && line.size() <= 200 && line.front() != '<';
    if (said) error.message.append(": ").append(trim(line));
  } else if (error.message.empty()) {
    error.message = text("error");
  }
  if (!error.field.empty() && error.message.find(error.field) == std::string::npos) {
    error.message = error.field + ": " + error.message;
  }
  if (const auto seconds = parse_int(answer.header("Retry-After")); seconds && *seconds >= 0) {
    error.retry_after_seconds = static_cast<int>(std::min<std::int64_t>(*seconds, 86400));
    error.message += " (try again in " + std::to_string(*error.retry_after_seconds) + " s)";
  }
  return error;
}

Error no_page(std::string_view why) {
  return {Errc::unavailable, "the answer is not a page of a list: " + std::string(why)};
}

http::Router routes_with_org() {
  http::Router routes;
  const auto add = [&](http::Method method, std::string_view path, std::string_view parameters) {
    const std::string words = " " + std::string(parameters) + " ";
    routes.add(method, path, words.find(" org ") == std::string::npos ? 0 : 1);
  };
#define INPUTS(method, path, parameters, members) add(http::Method::method, path, parameters);
#include "endpoints/inputs.def"
#undef INPUTS
  return routes;
}

/// The server refuses what a route does not take.
bool takes_org(http::Method method, std::string_view target) {
  static const http::Router routes = routes_with_org();
  http::Params params;
  const auto match = routes.match(method, target.substr(0, target.find('?')), params);
  return match.outcome == http::Router::Outcome::found && match.row == 1;
}

bool names_org(std::string_view target) {
  return target.find("?org=") != std::string_view::npos ||
         target.find("&org=") != std::string_view::npos;
}

}  // namespace

Session::Session(Transport& transport, std::string token, Address address)
    : transport_(transport), token_(std::move(token)), address_(std::move(address)) {}

Result<std::string> Session::call(http::Method method, std::string target, std::string body,
                                  std::string_view content_type) {
  net::ClientRequest request;
  request.method = method;
  request.target = std::move(target);
  if (!org_.empty() && !names_org(request.target) && takes_org(method, request.target)) {
    request.target += request.target.find('?') == std::string::npos ? '?' : '&';
    request.target += "org=" + encode_component(org_);
  }
  request.headers.emplace_back("Authorization", "Bearer " + token_);
  request.headers.emplace_back("Accept", "application/json");
  request.body = std::move(body);
  request.content_type = content_type;
  net::ClientResponse answer = TRY(transport_.send(request));
  if (answer.status < 200 || answer.status > 299) return refusal_of(answer);
  return std::move(answer.body);
}

Result<bool> Session::list(std::string_view path, std::string_view query,
                           std::optional<std::size_t> limit,
                           const std::function<void(const Json&)>& each,
                           const std::function<void(const Json&)>& page) {
  // One item beyond the limit tells whether there are more, whatever the cursor says.
  const std::optional<std::size_t> wanted = limit ? std::optional(*limit + 1) : std::nullopt;
  std::size_t seen = 0;
  std::string cursor;
  for (;;) {
    std::size_t size = limits::page_size;
    if (wanted) size = std::min(size, *wanted - seen);
    std::string target(path);
    target.append("?limit=").append(std::to_string(size));
    if (!query.empty()) target.append("&").append(query);
    if (!cursor.empty()) target.append("&cursor=").append(encode_component(cursor));
    const std::string body = TRY(call(http::Method::get, std::move(target)));
    JsonDocument document;
    const Result<Json> root = document.parse(body);
    const auto items = root.ok() ? root->find("items") : std::nullopt;
    const auto next = root.ok() ? root->find("next_cursor") : std::nullopt;
    if (!items || !items->is_array()) return no_page("it has no items");
    if (page) page(*root);
    bool more = false;
    items->for_each([&](const Json& item) {
      more = limit && seen == *limit;
      if (more) return;
      ++seen;
      each(item);
    });
    if (more) return true;
    if (!next || next->is_null()) return false;
    const auto text = next->string();
    if (!text || text->empty()) return no_page("its next_cursor is no text");
    if (*text == cursor || items->size() == 0) return no_page("it does not advance");
    cursor = *text;
  }
}

std::string encode_component(std::string_view text) {
  constexpr std::string_view kept = "-._~";
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || kept.find(c) != std::string_view::npos) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(digits[byte >> 4]);
      out.push_back(digits[byte & 15]);
    }
  }
  return out;
}

}  // namespace muster::ctl
