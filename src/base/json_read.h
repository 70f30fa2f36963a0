// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace muster {

/// A value inside a parsed document; valid while its JsonDocument is neither destroyed nor reused.
/// Hides simdjson, whose header costs every includer a second.
class Json {
 public:
  enum class Kind { object, array, string, integer, number, boolean, null };

  Kind kind() const;
  bool is_null() const { return kind() == Kind::null; }
  bool is_object() const { return kind() == Kind::object; }
  bool is_array() const { return kind() == Kind::array; }

  /// Member of an object; nothing if this is no object or has no such member.
  std::optional<Json> find(std::string_view key) const;
  /// The value if it has that type, else nothing. `number` accepts integers.
  std::optional<std::string_view> string() const;
  std::optional<std::int64_t> integer() const;
  std::optional<double> number() const;
  std::optional<bool> boolean() const;

  /// Elements of an array, members of an object, 0 for others.
  std::size_t size() const;

  /// Calls `each(Json)` for every element of an array, in order; never for what is no array,
  /// so that a stranger's text of another shape is nothing to go through and no crash.
  template <typename F>
  void for_each(F&& each) const {
    ArrayCursor cursor(*this);
    while (cursor.next()) each(cursor.element());
  }
  /// Calls `each(key, Json)` for every member of an object, in order; never for what is none.
  template <typename F>
  void for_each_member(F&& each) const {
    MemberCursor cursor(*this);
    while (cursor.next()) each(cursor.key(), cursor.element());
  }

  /// The value written again as JSON, spaced like all our JSON (base/json_write.h).
  std::string serialise() const;

 private:
  friend class JsonDocument;
  friend struct JsonAccess;
  struct alignas(8) Storage {
    unsigned char bytes[16];
  };
  class ArrayCursor {
   public:
    explicit ArrayCursor(const Json& array);
    bool next();
    Json element() const;

   private:
    Storage at_{}, end_{};  // equal for what has nothing to go through
    bool started_ = false;
  };
  class MemberCursor {
   public:
    explicit MemberCursor(const Json& object);
    bool next();
    std::string_view key() const;
    Json element() const;

   private:
    Storage at_{}, end_{};  // equal for what has nothing to go through
    bool started_ = false;
  };
  Storage element_;
};

/// Owns the memory of one parse at a time; reuse it to parse without allocating.
class JsonDocument {
 public:
  JsonDocument();
  ~JsonDocument();
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;

  /// Parses the whole of `text` (RFC 8259: UTF-8, nothing after the value, at most
  /// limits::json_depth levels). Fails with invalid_json. Values of an earlier parse die.
  Result<Json> parse(std::string_view text);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

/// This thread's document, for requests that finish with the values before they return.
JsonDocument& thread_json();

/// Reads the members of an object into C++ values. The first failure sticks, names its path
/// (`software[3].version`) and turns the later reads into no-ops; ask for it with finish():
///
///     Fields fields(json);
///     std::string_view hostname = fields.text("hostname", limits::hostname_bytes);
///     TRY(fields.finish());
class Fields {
 public:
  /// `path` is the prefix for error paths: "" for the body, "software[3]" for an element.
  explicit Fields(Json object, std::string path = {});

  /// Required text of 1 to `bytes_max` bytes without control characters.
  std::string_view text(std::string_view name, std::size_t bytes_max);
  /// Absent and null give nothing; text may be empty.
  std::optional<std::string_view> optional_text(std::string_view name, std::size_t bytes_max);
  /// As optional_text, but line ends and tabs are allowed (output, notes).
  std::optional<std::string_view> optional_multiline(std::string_view name, std::size_t bytes_max);
  std::int64_t integer(std::string_view name, std::int64_t min, std::int64_t max);
  std::optional<std::int64_t> optional_integer(std::string_view name, std::int64_t min,
                                               std::int64_t max);
  std::optional<double> optional_number(std::string_view name);
  std::optional<bool> optional_boolean(std::string_view name);
  /// Absent and null give nothing.
  std::optional<Json> optional_object(std::string_view name);
  /// Required array of at most `size_max` elements.
  std::optional<Json> array(std::string_view name, std::size_t size_max);
  /// Absent and null give nothing.
  std::optional<Json> optional_array(std::string_view name, std::size_t size_max);
  std::vector<std::string> optional_texts(std::string_view name, std::size_t size_max,
                                          std::size_t bytes_max);

  bool has(std::string_view name) const;
  std::string path(std::string_view name) const;
  /// Records a failure of the caller's own making, if none stands yet.
  void fail(std::string_view name, std::string what);
  bool failed() const { return error_.has_value(); }
  Result<void> finish() const;

 private:
  std::optional<Json> present(std::string_view name) const;
  std::optional<std::string_view> checked_text(std::string_view name, std::size_t bytes_max,
                                               std::string_view allowed_controls);
  void fail_missing(std::string_view name);

  Json object_;
  std::string path_;
  std::optional<Error> error_;
};

}  // namespace muster
