// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/flags.h"

#include <algorithm>
#include <cstdlib>

#include <CLI/CLI.hpp>

#include "base/check.h"
#include "base/text.h"
#include "base/time.h"
#include "main/ctl/duration.h"
#include "main/ctl/session.h"

namespace muster::ctl {

namespace {

std::string placeholder(std::string_view member) {
  return "{" + std::string(member) + "}";
}

bool is_in_path(std::string_view path, std::string_view member) {
  return path.find(placeholder(member)) != std::string_view::npos;
}

/// A variable that is missing is no empty one: the program that asks for it would run without its
/// password.
Result<void> check_pair(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == 0) return Error{Errc::invalid_field, "must be NAME=VALUE"};
  if (equals != std::string::npos || ::getenv(text.c_str()) != nullptr) return {};
  return Error{Errc::invalid_field, text + " is not set here; set it, or give " + text + "=VALUE"};
}

Result<void> check_kind(Flag::Kind kind, const std::string& text) {
  if (kind == Flag::Kind::integer && !parse_int(text)) {
    return Error{Errc::invalid_field, "must be a whole number"};
  }
  if (kind == Flag::Kind::seconds) TRY(parse_duration(text));
  if (text.empty()) return Error{Errc::invalid_field, "must not be empty"};
  if (kind == Flag::Kind::pairs) TRY(check_pair(text));
  return {};
}

/// A name alone stands for the variable of that name in our own environment: a secret given so is
/// in nobody's list of processes.
void write_pair(JsonWriter& json, const std::string& pair) {
  const auto equals = pair.find('=');
  if (equals != std::string::npos) {
    json.member(pair.substr(0, equals), pair.substr(equals + 1));
    return;
  }
  const char* own = ::getenv(pair.c_str());
  CHECK(own != nullptr);  // check_pair
  json.member(pair, std::string(own));
}

/// What the help says of a flag: also what it chooses from, where its placeholder does not.
std::string described(const Flag& flag) {
  if (flag.choices.empty() || flag.shown.find('|') != std::string::npos) return flag.what;
  std::string text = flag.what + ": ";
  for (const std::string& choice : flag.choices) {
    text.append(&choice == &flag.choices.front() ? "" : ", ").append(choice);
  }
  return text;
}

std::string shown_value(const Flag& flag) {
  if (!flag.shown.empty()) return flag.shown;
  switch (flag.kind) {
    case Flag::Kind::integer:
      return "N";
    case Flag::Kind::seconds:
      return "DURATION";
    case Flag::Kind::file:
      return "FILE";
    case Flag::Kind::files:
      return "FILE...";
    case Flag::Kind::texts:
      return "TEXT...";
    case Flag::Kind::pairs:
      return "NAME=VALUE...";
    default:
      return "TEXT";
  }
}

}  // namespace

Result<void> check_time(const std::string& text) {
  if (parse_rfc3339(text).ok()) return {};
  return Error{Errc::invalid_field, "must be a time such as 2026-03-21T14:30:00Z"};
}

Result<void> check_cve(const std::string& text) {
  // CVE-YYYY-N…, four digits or more (https://cve.org/ResourcesSupport/FAQs).
  constexpr std::size_t prefix = 9;
  const bool named = text.starts_with("CVE-") && text.size() >= prefix + 4 && text[8] == '-';
  const std::string digits = named ? text.substr(4, 4) + text.substr(prefix) : "-";
  if (digits.find_first_not_of("0123456789") == std::string::npos) return {};
  return Error{Errc::invalid_field, "must be a CVE such as CVE-2024-3094"};
}

FlagValues::FlagValues(std::vector<Flag> flags) {
  for (Flag& flag : flags) values_.push_back({std::move(flag)});
}

void FlagValues::bind(CLI::App& verb) {
  for (Value& value : values_) {
    const Flag& flag = value.flag;
    if (flag.kind == Flag::Kind::on) {
      verb.add_flag(flag.name, value.on, flag.what);
      continue;
    }
    const bool files = flag.kind == Flag::Kind::file || flag.kind == Flag::Kind::files;
    const bool many = flag.kind == Flag::Kind::texts || flag.kind == Flag::Kind::files ||
                      flag.kind == Flag::Kind::pairs;
    CLI::Option* option =
        many ? verb.add_option(flag.name, value.given, described(flag))
             : verb.add_option_function<std::string>(
                   flag.name, [&value](const std::string& text) { value.given = {text}; },
                   described(flag));
    // Whoever gives an option twice cannot mean both.
    if (!many) option->multi_option_policy(CLI::MultiOptionPolicy::Throw);
    option->required(flag.required);
    const bool named = flag.name.starts_with('-');
    if (named || !flag.shown.empty()) option->option_text(shown_value(flag));
    if (!flag.choices.empty()) option->check(CLI::IsMember(flag.choices));
    if (files) option->check(CLI::ExistingFile);
    option->check([kind = flag.kind, check = flag.check](const std::string& text) -> std::string {
      Result<void> verdict = check_kind(kind, text);
      if (verdict.ok() && check) verdict = check(text);
      return verdict.ok() ? std::string() : verdict.error().message;
    });
  }
}

const FlagValues::Value& FlagValues::at(std::string_view member) const {
  const auto found = std::find_if(values_.begin(), values_.end(),
                                  [&](const Value& value) { return value.flag.member == member; });
  CHECK(found != values_.end());
  return *found;
}

std::string_view FlagValues::name_of(std::string_view member) const {
  for (const Value& value : values_) {
    if (value.flag.member == member) return value.flag.name;
  }
  return {};
}

bool FlagValues::has(std::string_view member) const {
  return at(member).on || !at(member).given.empty();
}

std::string FlagValues::text(std::string_view member) const {
  const Value& value = at(member);
  return value.given.empty() ? std::string() : value.given.back();
}

std::vector<std::string> FlagValues::texts(std::string_view member) const {
  return at(member).given;
}

std::optional<std::int64_t> FlagValues::integer(std::string_view member) const {
  const Value& value = at(member);
  if (value.given.empty()) return std::nullopt;
  if (value.flag.kind == Flag::Kind::integer) return parse_int(value.given.back());
  CHECK(value.flag.kind == Flag::Kind::seconds);
  return parse_duration(value.given.back()).value().count();
}

std::string FlagValues::expand(std::string_view path) const {
  std::string out(path);
  for (const Value& value : values_) {
    const std::string part = placeholder(value.flag.member);
    const auto place = out.find(part);
    if (place != std::string::npos) {
      out.replace(place, part.size(), encode_component(text(value.flag.member)));
    }
  }
  return out;
}

std::string FlagValues::query(std::string_view path) const {
  std::string out;
  const auto add = [&](const Value& value, std::string_view text) {
    if (!out.empty()) out += "&";
    out.append(value.flag.member).append("=").append(encode_component(text));
  };
  for (const Value& value : values_) {
    if (is_in_path(path, value.flag.member)) continue;
    if (value.on) add(value, "true");
    for (const std::string& text : value.given) add(value, text);
  }
  return out;
}

void FlagValues::write_pairs(JsonWriter& json, std::string_view member) const {
  for (const std::string& pair : at(member).given) write_pair(json, pair);
}

void FlagValues::write_members(JsonWriter& json, std::string_view path) const {
  for (const Value& value : values_) {
    const std::string& member = value.flag.member;
    if (is_in_path(path, member) || !has(member)) continue;
    json.key(member);
    switch (value.flag.kind) {
      case Flag::Kind::on:
        json.value(true);
        break;
      case Flag::Kind::integer:
      case Flag::Kind::seconds:
        json.value(*integer(member));
        break;
      case Flag::Kind::files:
      case Flag::Kind::texts:
        json.value(value.given);
        break;
      case Flag::Kind::pairs:
        json.begin_object();
        write_pairs(json, member);
        json.end_object();
        break;
      case Flag::Kind::text:
      case Flag::Kind::file:
        json.value(text(member));
        break;
    }
  }
}

}  // namespace muster::ctl
