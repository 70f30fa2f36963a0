// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.h"

namespace muster {

/// The kinds of failure that input can cause; base/errc.def is the list.
enum class Errc {
#define ERRC(name, status) name,
#include "base/errc.def"
#undef ERRC
};

/// The word of `code` on the wire: `invalid_json`, `clock_skew`, ...
std::string_view errc_name(Errc code);

/// What went wrong with an input, in words for whoever sent it.
struct Error {
  Errc code;
  std::string message;
  /// Path of the offending member (`software[3].version`), empty when it is not about one.
  std::string field = {};
  /// Seconds to wait before trying again, for rate_limited, overloaded and unavailable.
  std::optional<int> retry_after_seconds = std::nullopt;
  /// The server's time, for clock_skew only: the caller has proved its key and may learn it.
  std::optional<std::string> server_time = std::nullopt;
};

inline Error invalid_field(std::string field, std::string what) {
  std::string message = field + ": " + what;
  return {Errc::invalid_field, std::move(message), std::move(field)};
}

/// A value or an Error. Failures of the environment (disk, database) are exceptions instead, and
/// bugs are CHECKs: see ARCHITECTURE.md, "Three failures, three channels".
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& {
    CHECK(!ok());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    CHECK(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  void value() const { CHECK(ok()); }
  const Error& error() const& {
    CHECK(!ok());
    return *error_;
  }
  Error&& error() && {
    CHECK(!ok());
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

}  // namespace muster

/// Gives the value of a Result or returns its error from the enclosing function.
#define TRY(expression)                                           \
  __extension__({                                                 \
    auto try_result_ = (expression);                              \
    if (!try_result_.ok()) return std::move(try_result_).error(); \
    std::move(try_result_).value();                               \
  })
