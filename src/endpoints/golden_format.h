// SPDX-License-Identifier: Apache-2.0
// Golden conversations as values, for tests: reads them, fills in requests, compares answers. The
// format is in api/golden/README.md; tools/golden_format.py is the same for the binary.
#pragma once

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_read.h"
#include "base/text.h"
#include "base/time.h"
#include "crypto/passkey_testing.h"
#include "crypto/testing.h"
#include "crypto/totp.h"
#include "endpoints/testing.h"
#include "http/testing.h"

namespace muster::endpoints::golden {

/// A file that cannot be read or an answer that does not hold, with the difference in words.
class Broken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

using Fields = std::vector<std::pair<std::string, std::string>>;
using Variables = std::map<std::string, std::string, std::less<>>;

struct Exchange {
  std::string method;
  std::string target;
  Fields headers;
  std::string body;
  int status = 0;
  Fields expected_headers;
  std::string expected;
};

struct Conversation {
  std::string claim;
  std::vector<std::string> after;
  std::string config;
  std::vector<Exchange> exchanges;
};

// --- Reading ---------------------------------------------------------------------------------

using Lines = std::vector<std::string>;

inline Lines split_lines(const std::string& text) {
  Lines lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// Headers, and the body after the first empty line without its trailing line ends.
inline std::pair<Fields, std::string> split_block(Lines::const_iterator at,
                                                  Lines::const_iterator end) {
  Fields headers;
  for (; at != end && !at->empty(); ++at) {
    const auto colon = at->find(':');
    if (colon == std::string::npos) throw Broken("not a header line: " + *at);
    headers.emplace_back(trim(std::string_view(*at).substr(0, colon)),
                         trim(std::string_view(*at).substr(colon + 1)));
  }
  std::string body;
  for (at += at == end ? 0 : 1; at != end; ++at) body += *at + "\n";
  body.erase(body.find_last_not_of("\r\n") + 1);
  return {std::move(headers), std::move(body)};
}

inline void read_head(Conversation& conversation, std::string_view line) {
  if (!line.starts_with("# ")) return;
  line.remove_prefix(2);
  if (conversation.claim.empty()) {
    conversation.claim = line;
  } else if (line.starts_with("after: ")) {
    conversation.after.emplace_back(trim(line.substr(7)));
  } else if (line.starts_with("config: ")) {
    conversation.config += std::string(line.substr(8)) + "\n";
  }
}

inline Conversation parse(const std::string& text) {
  const auto begins_block = [](const std::string& line) {
    return line.starts_with(">>> ") || line.starts_with("<<< ");
  };
  const Lines lines = split_lines(text);
  Conversation conversation;
  auto at = std::find_if(lines.begin(), lines.end(), begins_block);
  for (auto head = lines.begin(); head != at; ++head) read_head(conversation, *head);
  if (conversation.claim.empty()) throw Broken("the first line must be `# ` and the claim");
  while (at != lines.end()) {
    const auto end = std::find_if(at + 1, lines.end(), begins_block);
    auto [headers, body] = split_block(at + 1, end);
    std::istringstream words(at->substr(4));
    if (at->starts_with(">>> ")) {
      Exchange exchange;
      words >> exchange.method >> exchange.target;
      if (exchange.target.empty()) throw Broken("want `>>> METHOD TARGET`");
      exchange.headers = std::move(headers);
      exchange.body = std::move(body);
      conversation.exchanges.push_back(std::move(exchange));
    } else {
      if (conversation.exchanges.empty() || conversation.exchanges.back().status != 0) {
        throw Broken("an answer without its request");
      }
      Exchange& exchange = conversation.exchanges.back();
      words >> exchange.status;
      exchange.expected_headers = std::move(headers);
      exchange.expected = std::move(body);
    }
    at = end;
  }
  for (const Exchange& exchange : conversation.exchanges) {
    if (exchange.status == 0) throw Broken("a request without its answer");
  }
  if (conversation.exchanges.empty()) throw Broken("a conversation without a request");
  return conversation;
}

/// `name` and before it, each once, the files it comes after.
inline void read_chain(const std::filesystem::path& root, const std::string& name,
                       std::set<std::string>& seen,
                       std::vector<std::pair<std::string, Conversation>>& chain) {
  if (!seen.insert(name).second) return;
  std::ifstream file(root / name, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw Broken(name + " cannot be read");
  Conversation conversation = parse(text.str());
  for (const std::string& earlier : conversation.after) read_chain(root, earlier, seen, chain);
  chain.emplace_back(name, std::move(conversation));
}

// --- Requests --------------------------------------------------------------------------------

inline bool is_name(std::string_view text) {
  return !text.empty() && text.find_first_not_of(
                              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"
                              "XYZ0123456789_") == std::string_view::npos;
}

/// The code of `{{totp:name}}` or `{{totp:name+30s}}`.
inline std::string totp_of(std::string_view inside, const Variables& variables, Instant now) {
  const auto plus = inside.find('+');
  const auto secret = variables.find(inside.substr(0, plus));
  if (secret == variables.end()) throw Broken("no secret yet: " + std::string(inside));
  if (plus != std::string_view::npos) {
    inside.remove_prefix(plus + 1);
    inside.remove_suffix(1);
    now = now + std::chrono::seconds(parse_int(inside).value());
  }
  return crypto::totp_code(crypto::decode_base32(secret->second), crypto::totp_step(now));
}

/// The part of what a browser sends of a passkey that `{{passkey:part}}` or
/// `{{passkey:part:challenge}}` names, in base64url.
inline std::string passkey_part(std::string_view inside, const Variables& variables) {
  const auto colon = inside.find(':');
  const std::string_view part = inside.substr(0, colon);
  std::string challenge;
  if (colon != std::string_view::npos) {
    const auto found = variables.find(inside.substr(colon + 1));
    if (found == variables.end()) throw Broken("no challenge yet: " + std::string(inside));
    challenge = crypto::from_base64url(found->second).value();
  }
  const crypto::TestPasskey passkey;
  const std::string get = passkey.client_data("webauthn.get", challenge);
  const auto octets = [&]() -> std::string {
    if (part == "id") return passkey.id;
    if (part == "attestation") return passkey.attestation_object();
    if (part == "data") return passkey.authenticator_data();
    if (part == "create") return passkey.client_data("webauthn.create", challenge);
    if (part == "get") return get;
    if (part == "signature") return passkey.sign(passkey.authenticator_data(), get);
    throw Broken("no part of a passkey: " + std::string(inside));
  };
  return crypto::to_base64url(octets());
}

/// What `{{inside}}` of a request stands for; nothing if it is no placeholder.
inline std::optional<std::string> substitute_one(std::string_view inside,
                                                 const Variables& variables, Instant now) {
  if (inside.starts_with("now") && (inside.size() == 3 || inside.ends_with('s'))) {
    std::string_view offset = inside.substr(3);
    if (offset.empty()) return format_rfc3339(now);
    offset.remove_suffix(1);
    if (offset.starts_with('+')) offset.remove_prefix(1);
    if (const auto seconds = parse_int(offset)) {
      return format_rfc3339(now + std::chrono::seconds(*seconds));
    }
  }
  constexpr std::string_view totp = "totp:";
  if (inside.starts_with(totp)) return totp_of(inside.substr(totp.size()), variables, now);
  constexpr std::string_view passkey = "passkey:";
  if (inside.starts_with(passkey)) return passkey_part(inside.substr(passkey.size()), variables);
  if (inside.size() == 4 && inside.starts_with("0x")) return from_hex(inside.substr(2));
  if (const auto star = inside.rfind('*'); star != std::string_view::npos && star > 0) {
    if (const auto times = parse_int(inside.substr(star + 1))) {
      std::string out;
      for (std::int64_t i = 0; i < *times; ++i) out += inside.substr(0, star);
      return out;
    }
  }
  if (!is_name(inside)) return std::nullopt;
  const auto found = variables.find(inside);
  if (found == variables.end()) throw Broken("no value yet: " + std::string(inside));
  return found->second;
}

inline std::string substitute(std::string_view text, const Variables& variables, Instant now) {
  std::string out;
  while (!text.empty()) {
    const auto end = text.find("}}");
    // The innermost opening: `{"a": {{{x}}` has its placeholder at the last two braces.
    const auto begin = end == std::string_view::npos ? end : text.substr(0, end).rfind("{{");
    if (begin == std::string_view::npos) {
      const auto plain = end == std::string_view::npos ? text.size() : end + 1;
      out += text.substr(0, plain);
      text.remove_prefix(plain);
      continue;
    }
    const auto value = substitute_one(text.substr(begin + 2, end - begin - 2), variables, now);
    out += text.substr(0, begin);
    out += value ? *value : std::string(text.substr(begin, end + 2 - begin));
    text.remove_prefix(end + 2);
  }
  return out;
}

inline TestRequest request_of(const Exchange& exchange, const Variables& variables, Instant now) {
  constexpr std::string_view compressed = "@gzip\n";
  const bool compress = exchange.body.starts_with(compressed);
  TestRequest request{exchange.method, substitute(exchange.target, variables, now), {}, {}};
  for (const auto& [name, value] : exchange.headers) {
    request.headers.emplace_back(name, substitute(value, variables, now));
  }
  request.body = substitute(
      std::string_view(exchange.body).substr(compress ? compressed.size() : 0), variables, now);
  if (compress) {
    request.body = http::gzip(request.body);
    request.headers.emplace_back("Content-Encoding", "gzip");
  }
  return request;
}

// --- Answers ---------------------------------------------------------------------------------

/// Matches all of `actual`; on success `variables` has what was captured.
inline bool match_text(std::string_view expected, std::string_view actual, Variables& variables) {
  const auto begin = expected.find("{{");
  const auto end = begin == std::string_view::npos ? begin : expected.find("}}", begin);
  if (end == std::string_view::npos) return expected == actual;
  const std::string_view name = expected.substr(begin + 2, end - begin - 2);
  if (!is_name(name)) {
    // Braces of the text itself: everything up to the next character is literal.
    if (actual.substr(0, begin + 1) != expected.substr(0, begin + 1)) return false;
    return match_text(expected.substr(begin + 1), actual.substr(begin + 1), variables);
  }
  if (actual.substr(0, begin) != expected.substr(0, begin)) return false;
  const std::string_view rest = expected.substr(end + 2);
  actual.remove_prefix(begin);
  if (const auto known = variables.find(name); known != variables.end()) {
    if (!actual.starts_with(known->second)) return false;
    actual.remove_prefix(known->second.size());
    return match_text(rest, actual, variables);
  }
  const auto longest = std::min(actual.find_first_of("\",{}[]\r\n"), actual.size());
  for (std::size_t length = longest; length > 0; --length) {
    Variables tried = variables;
    if (!name.starts_with('_')) tried.emplace(name, actual.substr(0, length));
    if (!match_text(rest, actual.substr(length), tried)) continue;
    variables = std::move(tried);
    return true;
  }
  return false;
}

inline void match_json(const Json& expected, const Json& actual, Variables& variables,
                       const std::string& path);

inline void match_string(std::string_view expected, const Json& actual, Variables& variables,
                         const std::string& path) {
  const bool scalar = !actual.is_object() && !actual.is_array();
  const auto own = actual.string();
  const std::string text = own ? std::string(*own) : actual.serialise();
  const bool placeholder = expected.starts_with("{{") && expected.ends_with("}}") &&
                           is_name(expected.substr(2, expected.size() - 4));
  if (placeholder && scalar) {
    const std::string name(expected.substr(2, expected.size() - 4));
    if (name.starts_with('_')) return;
    if (variables.emplace(name, text).first->second == text) return;
  } else if (own && match_text(expected, *own, variables)) {
    return;
  }
  throw Broken(path + ": want \"" + std::string(expected) + "\", got " + actual.serialise());
}

inline void match_array(const Json& expected, const Json& actual, Variables& variables,
                        const std::string& path) {
  std::vector<Json> wanted;
  std::vector<Json> given;
  expected.for_each([&](const Json& element) { wanted.push_back(element); });
  actual.for_each([&](const Json& element) { given.push_back(element); });
  const bool open = !wanted.empty() && wanted.back().string() == "...";
  if (open) wanted.pop_back();
  if (given.size() < wanted.size() || (!open && given.size() != wanted.size())) {
    throw Broken(path + ": want " + std::to_string(wanted.size()) + " elements, got " +
                 actual.serialise());
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    match_json(wanted[i], given[i], variables, path + "[" + std::to_string(i) + "]");
  }
}

inline void match_json(const Json& expected, const Json& actual, Variables& variables,
                       const std::string& path) {
  if (const auto text = expected.string()) return match_string(*text, actual, variables, path);
  if (expected.is_object() && actual.is_object()) {
    expected.for_each_member([&](std::string_view key, const Json& value) {
      const auto member = actual.find(key);
      const std::string at = path + "." + std::string(key);
      if (!member) throw Broken(at + " is missing");
      match_json(value, *member, variables, at);
    });
    return;
  }
  if (expected.is_array() && actual.is_array()) {
    return match_array(expected, actual, variables, path);
  }
  if (expected.kind() == actual.kind() && expected.serialise() == actual.serialise()) return;
  throw Broken(path + ": want " + expected.serialise() + ", got " + actual.serialise());
}

inline void match_body(std::string_view expected, std::string_view actual, Variables& variables) {
  constexpr std::string_view json = "~json\n";
  if (expected == "~has" || expected.starts_with("~has\n")) {
    for (const std::string& line : split_lines(std::string(expected.substr(4)))) {
      if (actual.find(line) == std::string_view::npos) throw Broken("the body has no " + line);
    }
  } else if (expected.starts_with(json)) {
    JsonDocument wanted;
    JsonDocument given;
    const Result<Json> want = wanted.parse(expected.substr(json.size()));
    const Result<Json> got = given.parse(actual);
    if (!want.ok()) throw Broken("the golden's own JSON cannot be read");
    if (!got.ok()) throw Broken("the body is not JSON: " + std::string(actual));
    match_json(*want, *got, variables, "body");
  } else if (!match_text(expected, actual, variables)) {
    throw Broken("want " + std::string(expected) + "\n got " + std::string(actual));
  }
}

/// Throws Broken where the answer is not the promised one; `variables` takes what it captured.
inline void check_answer(const Exchange& exchange, const http::Response& answer,
                         Variables& variables) {
  if (answer.status != exchange.status) {
    throw Broken("want status " + std::to_string(exchange.status) + ", got " +
                 std::to_string(answer.status) + ": " + answer.body);
  }
  for (const auto& [name, value] : exchange.expected_headers) {
    std::optional<std::string_view> given;
    if (equal_folded(name, "Content-Type")) given = answer.content_type;
    for (const auto& [known, content] : answer.headers) {
      if (equal_folded(known, name)) given = content;
    }
    if (!given || !match_text(value, *given, variables)) {
      throw Broken("want header " + name + ": " + value + ", got " +
                   std::string(given.value_or("none")));
    }
  }
  match_body(exchange.expected, answer.body, variables);
}

}  // namespace muster::endpoints::golden
