// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace muster::http {

/// What a server said of a version of a file, so that it need not send the same again (RFC 9110,
/// 13.1). Empty members: it said nothing.
struct Validators {
  std::string etag;
  std::string last_modified;
  friend bool operator==(const Validators&, const Validators&) = default;
};

/// One file wanted from outside, or something that is sent there.
struct FetchOrder {
  std::string url;
  /// Sent by POST instead of GET, and no redirect is followed. Without `take` any 2xx is the
  /// answer, and what it says is left out; with it whatever is answered is the answer, refusals
  /// too.
  std::optional<std::string> body = {};
  /// Of the version that the caller has.
  Validators have = {};
  /// Not sent on to another host by a redirect.
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::size_t bytes_max = 0;
  Duration time_max{};
  /// Takes the file piece by piece, or the answer to a POST.
  std::function<void(std::string_view)> take;
  /// Hears of the octets that came, and of how many there will be if the server says so. False
  /// gives up.
  std::function<bool(std::uint64_t bytes, std::optional<std::uint64_t> of)> goes_on = {};
};

struct Fetched {
  bool unchanged = false;  // it is the version that the caller has; nothing was taken
  Validators validators;
  std::uint64_t bytes = 0;
  int status = 200;  // of a POST
};

/// Gets one file. Blocks. Fails with invalid_field for an address that may not be called, with
/// not_found, rate_limited, body_too_large or unavailable, with the seconds to wait if the server
/// named some. What `take` was given before a failure is worth nothing.
using Fetch = std::function<Result<Fetched>(const FetchOrder&)>;

}  // namespace muster::http
