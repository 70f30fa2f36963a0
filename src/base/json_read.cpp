// SPDX-License-Identifier: Apache-2.0
#include "base/json_read.h"

#include <cstring>
#include <type_traits>

// Kept out of every other file: the header alone costs a second to compile.
#include <simdjson.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"

namespace muster {

using simdjson::dom::element;

/// Moves simdjson's two-word handles in and out of Json's storage.
struct JsonAccess {
  template <typename T, typename S>
  static T load(const S& storage) {
    static_assert(sizeof(T) <= sizeof(S) && std::is_trivially_copyable_v<T>);
    T value;
    std::memcpy(&value, storage.bytes, sizeof value);
    return value;
  }
  template <typename S, typename T>
  static void save(S& storage, const T& value) {
    static_assert(sizeof(T) <= sizeof(S) && std::is_trivially_copyable_v<T>);
    std::memcpy(storage.bytes, &value, sizeof value);
  }
  static element get(const Json& json) { return load<element>(json.element_); }
  static Json wrap(const element& value) {
    Json json;
    save(json.element_, value);
    return json;
  }
};

Json::Kind Json::kind() const {
  switch (JsonAccess::get(*this).type()) {
    case simdjson::dom::element_type::OBJECT:
      return Kind::object;
    case simdjson::dom::element_type::ARRAY:
      return Kind::array;
    case simdjson::dom::element_type::STRING:
      return Kind::string;
    case simdjson::dom::element_type::INT64:
      return Kind::integer;
    case simdjson::dom::element_type::UINT64:
    case simdjson::dom::element_type::DOUBLE:
      return Kind::number;
    case simdjson::dom::element_type::BOOL:
      return Kind::boolean;
    case simdjson::dom::element_type::NULL_VALUE:
      return Kind::null;
  }
  check_failed("known element type", __FILE__, __LINE__);
}

std::optional<Json> Json::find(std::string_view key) const {
  simdjson::dom::object object;
  if (JsonAccess::get(*this).get_object().get(object) != simdjson::SUCCESS) return std::nullopt;
  element value;
  if (object.at_key(key).get(value) != simdjson::SUCCESS) return std::nullopt;
  return JsonAccess::wrap(value);
}

std::optional<std::string_view> Json::string() const {
  std::string_view value;
  if (JsonAccess::get(*this).get_string().get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<std::int64_t> Json::integer() const {
  const element at = JsonAccess::get(*this);
  if (at.type() != simdjson::dom::element_type::INT64) return std::nullopt;
  return at.get_int64().value_unsafe();
}

std::optional<double> Json::number() const {
  double value = 0;
  if (JsonAccess::get(*this).get_double().get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<bool> Json::boolean() const {
  bool value = false;
  if (JsonAccess::get(*this).get_bool().get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::size_t Json::size() const {
  std::size_t count = 0;
  for_each([&](const Json&) { ++count; });
  for_each_member([&](std::string_view, const Json&) { ++count; });
  return count;
}

namespace {

void write(JsonWriter& json, const Json& value) {
  switch (value.kind()) {
    case Json::Kind::object:
      json.begin_object();
      value.for_each_member([&](std::string_view name, const Json& member) {
        json.key(name);
        write(json, member);
      });
      json.end_object();
      return;
    case Json::Kind::array:
      json.begin_array();
      value.for_each([&](const Json& element) { write(json, element); });
      json.end_array();
      return;
    case Json::Kind::string:
      json.value(*value.string());
      return;
    case Json::Kind::integer:
      json.value(*value.integer());
      return;
    case Json::Kind::number:
      json.value(*value.number());
      return;
    case Json::Kind::boolean:
      json.value(*value.boolean());
      return;
    case Json::Kind::null:
      json.null();
      return;
  }
}

}  // namespace

std::string Json::serialise() const {
  JsonWriter json;
  write(json, *this);
  return json.take();
}

Json::ArrayCursor::ArrayCursor(const Json& array) {
  simdjson::dom::array elements;
  if (JsonAccess::get(array).get_array().get(elements) != simdjson::SUCCESS) return;
  JsonAccess::save(at_, elements.begin());
  JsonAccess::save(end_, elements.end());
}

bool Json::ArrayCursor::next() {
  using Iterator = simdjson::dom::array::iterator;
  auto at = JsonAccess::load<Iterator>(at_);
  if (started_) JsonAccess::save(at_, ++at);
  started_ = true;
  return at != JsonAccess::load<Iterator>(end_);
}

Json Json::ArrayCursor::element() const {
  return JsonAccess::wrap(*JsonAccess::load<simdjson::dom::array::iterator>(at_));
}

Json::MemberCursor::MemberCursor(const Json& object) {
  simdjson::dom::object members;
  if (JsonAccess::get(object).get_object().get(members) != simdjson::SUCCESS) return;
  JsonAccess::save(at_, members.begin());
  JsonAccess::save(end_, members.end());
}

bool Json::MemberCursor::next() {
  using Iterator = simdjson::dom::object::iterator;
  auto at = JsonAccess::load<Iterator>(at_);
  if (started_) JsonAccess::save(at_, ++at);
  started_ = true;
  return at != JsonAccess::load<Iterator>(end_);
}

std::string_view Json::MemberCursor::key() const {
  return JsonAccess::load<simdjson::dom::object::iterator>(at_).key();
}

Json Json::MemberCursor::element() const {
  return JsonAccess::wrap(JsonAccess::load<simdjson::dom::object::iterator>(at_).value());
}

struct JsonDocument::Parser {
  simdjson::dom::parser parser;
  std::size_t depth_capacity = 0;
};

JsonDocument::JsonDocument() : parser_(std::make_unique<Parser>()) {}
JsonDocument::~JsonDocument() = default;

Result<Json> JsonDocument::parse(std::string_view text) {
  if (text.empty()) text = "";  // simdjson copies from where it points, and that may be nowhere
  simdjson::dom::parser& parser = parser_->parser;
  // The depth is a property of the allocation, so growing and limiting happen together.
  if (parser.capacity() < text.size() || parser_->depth_capacity == 0) {
    const std::size_t capacity = std::max<std::size_t>(text.size(), 4096);
    if (parser.allocate(capacity, limits::json_depth) != simdjson::SUCCESS) throw std::bad_alloc();
    parser_->depth_capacity = limits::json_depth;
  }
  element root;
  const auto failure = parser.parse(text.data(), text.size()).get(root);
  if (failure == simdjson::DEPTH_ERROR) {
    return Error{Errc::invalid_json, "The JSON body is nested too deeply."};
  }
  if (failure == simdjson::MEMALLOC) throw std::bad_alloc();
  if (failure != simdjson::SUCCESS) {
    return Error{Errc::invalid_json, "The body is not valid JSON in UTF-8."};
  }
  return JsonAccess::wrap(root);
}

JsonDocument& thread_json() {
  thread_local JsonDocument document;
  return document;
}

Fields::Fields(Json object, std::string path) : object_(object), path_(std::move(path)) {
  if (!object_.is_object()) {
    error_ = path_.empty() ? Error{Errc::invalid_json, "The body must be a JSON object."}
                           : invalid_field(path_, "must be an object");
  }
}

std::optional<Json> Fields::present(std::string_view name) const {
  if (error_) return std::nullopt;
  const auto found = object_.find(name);
  if (!found || found->is_null()) return std::nullopt;
  return found;
}

bool Fields::has(std::string_view name) const {
  return present(name).has_value();
}

std::string Fields::path(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

void Fields::fail(std::string_view name, std::string what) {
  if (!error_) error_ = invalid_field(path(name), std::move(what));
}

void Fields::fail_missing(std::string_view name) {
  if (error_) return;
  const std::string at = path(name);
  error_ = Error{Errc::missing_field, at + ": is required", at};
}

std::optional<std::string_view> Fields::checked_text(std::string_view name, std::size_t bytes_max,
                                                     std::string_view allowed_controls) {
  const auto value = present(name);
  if (!value) return std::nullopt;
  const auto text = value->string();
  if (!text) {
    fail(name, "must be a string");
  } else if (text->size() > bytes_max) {
    fail(name, "is longer than " + std::to_string(bytes_max) + " bytes");
  } else if (!is_plain_text(*text, allowed_controls)) {
    fail(name, "contains control characters");
  } else {
    return text;
  }
  return std::nullopt;
}

std::string_view Fields::text(std::string_view name, std::size_t bytes_max) {
  const auto text = checked_text(name, bytes_max, "");
  if (!text) {
    fail_missing(name);
    return {};
  }
  if (text->empty()) fail(name, "must not be empty");
  return *text;
}

std::optional<std::string_view> Fields::optional_text(std::string_view name,
                                                      std::size_t bytes_max) {
  return checked_text(name, bytes_max, "");
}

std::optional<std::string_view> Fields::optional_multiline(std::string_view name,
                                                           std::size_t bytes_max) {
  return checked_text(name, bytes_max, "\t\r\n");
}

std::optional<std::int64_t> Fields::optional_integer(std::string_view name, std::int64_t min,
                                                     std::int64_t max) {
  const auto value = present(name);
  if (!value) return std::nullopt;
  const auto number = value->integer();
  if (!number) {
    fail(name, "must be an integer");
  } else if (*number < min || *number > max) {
    fail(name, "must be between " + std::to_string(min) + " and " + std::to_string(max));
  } else {
    return number;
  }
  return std::nullopt;
}

std::int64_t Fields::integer(std::string_view name, std::int64_t min, std::int64_t max) {
  const auto number = optional_integer(name, min, max);
  if (!number) fail_missing(name);
  return number.value_or(min);
}

std::optional<double> Fields::optional_number(std::string_view name) {
  const auto value = present(name);
  if (!value) return std::nullopt;
  const auto number = value->number();
  if (!number) fail(name, "must be a number");
  return number;
}

std::optional<bool> Fields::optional_boolean(std::string_view name) {
  const auto value = present(name);
  if (!value) return std::nullopt;
  const auto flag = value->boolean();
  if (!flag) fail(name, "must be true or false");
  return flag;
}

std::optional<Json> Fields::optional_object(std::string_view name) {
  const auto value = present(name);
  if (value && !value->is_object()) {
    fail(name, "must be an object");
    return std::nullopt;
  }
  return value;
}

std::optional<Json> Fields::optional_array(std::string_view name, std::size_t size_max) {
  const auto value = present(name);
  if (!value) return std::nullopt;
  if (!value->is_array()) {
    fail(name, "must be an array");
    return std::nullopt;
  }
  if (value->size() > size_max) {
    fail(name, "has more than " + std::to_string(size_max) + " elements");
    return std::nullopt;
  }
  return value;
}

std::optional<Json> Fields::array(std::string_view name, std::size_t size_max) {
  const auto value = optional_array(name, size_max);
  if (!value) fail_missing(name);
  return value;
}

std::vector<std::string> Fields::optional_texts(std::string_view name, std::size_t size_max,
                                                std::size_t bytes_max) {
  std::vector<std::string> texts;
  const auto elements = optional_array(name, size_max);
  if (!elements) return texts;
  elements->for_each([&](const Json& element) {
    const auto text = element.string();
    const std::string at = std::string(name) + "[" + std::to_string(texts.size()) + "]";
    if (!text) {
      fail(at, "must be a string");
    } else if (text->size() > bytes_max || !is_plain_text(*text)) {
      fail(at, "must be plain text of at most " + std::to_string(bytes_max) + " bytes");
    }
    texts.emplace_back(text.value_or(""));
  });
  return texts;
}

Result<void> Fields::finish() const {
  if (error_) return *error_;
  return {};
}

}  // namespace muster
