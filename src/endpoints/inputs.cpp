// SPDX-License-Identifier: Apache-2.0
#include "endpoints/inputs.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/json_read.h"
#include "base/limits.h"
#include "base/text.h"

namespace muster::endpoints {

namespace {

constexpr std::nullopt_t any_body = std::nullopt;
constexpr Inputs rows[] = {
#define INPUTS(method, path, parameters, members) {http::Method::method, path, parameters, members},
#include "endpoints/inputs.def"
#undef INPUTS
};

template <typename F>
bool any_word(std::string_view words, F&& is_it) {
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find(' '));
    if (is_it(word)) return true;
    words.remove_prefix(std::min(words.size(), word.size() + 1));
  }
  return false;
}

bool has_word(std::string_view words, std::string_view wanted) {
  return any_word(words, [&](std::string_view word) { return word == wanted; });
}

/// Whether there are members below the one at `path`.
bool has_below(std::string_view members, std::string_view path) {
  return any_word(members, [&](std::string_view word) {
    return word.size() > path.size() && word.starts_with(path) &&
           (word[path.size()] == '.' || word[path.size()] == '[');
  });
}

/// A stranger's name, made fit to be repeated to them.
std::string shown(std::string_view name) {
  std::string kept;
  return std::string(well_formed(cut_utf8(name, limits::name_bytes), kept));
}

Result<void> check_query(std::string_view parameters, std::string_view query) {
  std::vector<std::string> seen;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    const std::string_view raw = pair.substr(0, equals);
    auto name = http::decode_component(raw);
    if (!name || !has_word(parameters, *name)) {
      return invalid_field(shown(name.value_or(std::string(raw))), "is not a known parameter");
    }
    if (equals != std::string_view::npos && !http::decode_component(pair.substr(equals + 1))) {
      return invalid_field(*name, "has a % that two hexadecimal digits do not follow");
    }
    if (std::find(seen.begin(), seen.end(), *name) != seen.end()) {
      return invalid_field(*name, "is given twice");
    }
    seen.push_back(std::move(*name));
  }
  return {};
}

/// One object or array of a body: where it is among `members`, and where the caller sees it.
struct Place {
  std::string known;
  std::string shown;

  Place member(std::string_view name) const {
    const std::string dot = known.empty() ? "" : ".";
    return {known + dot + std::string(name), shown + dot + endpoints::shown(name)};
  }
  Place element(std::size_t index) const {
    return {known + "[]", shown + "[" + std::to_string(index) + "]"};
  }
};

Result<void> check_members(std::string_view members, const Json& value, const Place& place) {
  Result<void> verdict;
  std::vector<std::string> seen;
  value.for_each_member([&](std::string_view name, const Json& member) {
    if (!verdict.ok()) return;
    const Place at = place.member(name);
    // A name with what joins paths is of no member, whatever path it looks like.
    if (name.find_first_of(".[") != std::string_view::npos || !has_word(members, at.known)) {
      verdict = invalid_field(at.shown, "is not a known member");
    } else if (std::find(seen.begin(), seen.end(), at.known) != seen.end()) {
      verdict = invalid_field(at.shown, "is given twice");
    } else if (has_below(members, at.known)) {
      verdict = check_members(members, member, at);
    }
    seen.push_back(at.known);
  });
  std::size_t index = 0;
  value.for_each([&](const Json& element) {
    if (verdict.ok()) verdict = check_members(members, element, place.element(index++));
  });
  return verdict;
}

}  // namespace

std::span<const Inputs> all_inputs() {
  return rows;
}

const Inputs* inputs_of(http::Method method, std::string_view path) {
  for (const Inputs& row : rows) {
    if (row.method == method && row.path == path) return &row;
  }
  return nullptr;
}

Result<void> check_inputs(const Inputs& known, const http::Request& request) {
  TRY(check_query(known.parameters, request.query));
  if (!known.members || trim(request.body).empty()) return {};
  const Result<Json> body = thread_json().parse(request.body);
  if (!body.ok() || !body->is_object()) return {};
  return check_members(*known.members, *body, {});
}

}  // namespace muster::endpoints
