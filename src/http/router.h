// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "http/request.h"

namespace muster::http {

/// Finds the row of a route table for a method and path. Patterns have literal parts and `:name`
/// parts, each matching one non-empty part of the path; literal rows win over patterns. Built once,
/// then read by every thread.
class Router {
 public:
  enum class Outcome { found, no_such_path, no_such_method };
  struct Match {
    Outcome outcome = Outcome::no_such_path;
    std::size_t row = 0;
  };

  /// A row may stand for several methods.
  void add(Method method, std::string_view pattern, std::size_t row);

  /// Fills `params` on success. A trailing slash is tolerated, as the fielded servers do.
  Match match(Method method, std::string_view path, Params& params) const;

  /// The methods of a path for the Allow header: "GET, POST"; empty if there is no such path.
  std::string allowed(std::string_view path) const;

 private:
  struct Pattern {
    Method method;
    std::vector<std::string> parts;
    std::size_t row;
  };
  struct ByMethod {
    Method method;
    std::size_t row;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<std::string, std::vector<ByMethod>, TextHash, std::equal_to<>> literal_;
  std::vector<Pattern> patterns_;
};

}  // namespace muster::http
