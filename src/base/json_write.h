// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace muster {

/// Writes JSON with ", " and ": " between its parts: shell agents in the field grep for exactly one
/// space after the colon (design: wire decisions, "Dialects"). Objects and arrays nest by call:
///
///     JsonWriter json;
///     json.begin_object().member("success", true).key("data").begin_object();
///     json.end_object().end_object();
///     std::string text = json.take();
///
/// Text must be UTF-8; it is escaped, never refused.
class JsonWriter {
 public:
  JsonWriter() = default;
  explicit JsonWriter(std::string buffer) : out_(std::move(buffer)) { out_.clear(); }

  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  template <std::same_as<bool> B>
  JsonWriter& value(B flag) {
    return raw(flag ? "true" : "false");
  }
  template <std::integral I>
  requires(!std::same_as<I, bool>) JsonWriter& value(I number) {
    return integer(static_cast<std::int64_t>(number));
  }
  JsonWriter& value(double number);
  JsonWriter& value(Instant at);
  JsonWriter& value(const Uuid& id) { return value(id.text()); }
  template <typename Tag>
  JsonWriter& value(NumberId<Tag> id) {
    return integer(id.value);
  }
  template <typename Tag>
  JsonWriter& value(const UuidId<Tag>& id) {
    return value(id.text());
  }
  template <typename T>
  JsonWriter& value(const std::optional<T>& maybe) {
    return maybe ? value(*maybe) : null();
  }
  /// An array.
  template <typename T>
  JsonWriter& value(const std::vector<T>& all) {
    begin_array();
    for (const T& one : all) value(one);
    return end_array();
  }
  JsonWriter& null() { return raw("null"); }
  /// Inserts text that is JSON already.
  JsonWriter& raw(std::string_view json);

  template <typename T>
  JsonWriter& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }

  std::string_view text() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  JsonWriter& integer(std::int64_t number);
  void separate();
  void text_between(std::string_view text, std::string_view end);

  std::string out_;
  bool first_ = true;
};

}  // namespace muster
