// SPDX-License-Identifier: Apache-2.0
#include "http/router.h"

namespace muster::http {

namespace {

/// The part of `path` up to the next slash; drops it and the slash from `path`.
std::string_view take_part(std::string_view& path) {
  const auto slash = path.find('/');
  const std::string_view part = path.substr(0, slash);
  path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  return part;
}

bool matches(const std::vector<std::string>& parts, std::string_view path, Params& params) {
  Params found;
  path.remove_prefix(1);
  for (const std::string& part : parts) {
    const std::string_view given = take_part(path);
    if (given.empty()) return false;
    if (part.front() == ':') {
      found.add(given);
    } else if (part != given) {
      return false;
    }
  }
  if (!path.empty()) return false;
  params = found;
  return true;
}

}  // namespace

void Router::add(Method method, std::string_view pattern, std::size_t row) {
  CHECK(pattern.starts_with('/'));
  if (pattern.find(':') == std::string_view::npos) {
    literal_[std::string(pattern)].push_back({method, row});
    return;
  }
  Pattern added{method, {}, row};
  std::string_view rest = pattern.substr(1);
  while (!rest.empty()) added.parts.emplace_back(take_part(rest));
  patterns_.push_back(std::move(added));
}

Router::Match Router::match(Method method, std::string_view path, Params& params) const {
  if (!path.starts_with('/')) return {};
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  bool path_known = false;
  if (const auto found = literal_.find(path); found != literal_.end()) {
    path_known = true;
    for (const ByMethod& row : found->second) {
      if (row.method == method) return {Outcome::found, row.row};
    }
  }
  for (const Pattern& pattern : patterns_) {
    if (!matches(pattern.parts, path, params)) continue;
    path_known = true;
    if (pattern.method == method) return {Outcome::found, pattern.row};
  }
  return {path_known ? Outcome::no_such_method : Outcome::no_such_path, 0};
}

std::string Router::allowed(std::string_view path) const {
  std::string methods;
  Params params;
  for (const Method method :
       {Method::get, Method::head, Method::post, Method::put, Method::patch, Method::del}) {
    if (match(method, path, params).outcome != Outcome::found) continue;
    if (!methods.empty()) methods += ", ";
    methods += method_name(method);
  }
  return methods;
}

}  // namespace muster::http
