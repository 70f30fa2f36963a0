// SPDX-License-Identifier: Apache-2.0
#include "http/shorten_json.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"

namespace muster::http {

namespace {

/// Nothing that we read is nested so deep.
constexpr std::size_t depth_max = 2 * limits::json_depth;

bool is_high_surrogate(std::uint32_t code) {
  return code >= 0xD800 && code <= 0xDBFF;
}

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

}  // namespace

JsonShortener::JsonShortener(std::size_t bytes_max, std::size_t string_bytes)
    : bytes_max_(bytes_max - depth_max), string_bytes_(string_bytes) {}

void JsonShortener::put(std::string_view part) {
  while (!part.empty() && !full_) {
    if (in_string_ && escape_ == 0) part.remove_prefix(put_plain(part));
    if (part.empty()) return;
    if (in_string_) {
      put_in_string(part.front());
    } else {
      put_outside(part.front());
    }
    part.remove_prefix(1);
  }
}

/// Takes what is plain at the front of a string's rest, as far as it is clear what becomes of it.
std::size_t JsonShortener::put_plain(std::string_view part) {
  std::size_t plain = std::min(part.find_first_of("\"\\"), part.size());
  if (!dropping_) {
    plain = std::min(plain, string_left_);  // for which there was room when the string began
    string_left_ -= plain;
    make_room(plain);
    out_.append(part, 0, plain);
  }
  if (plain > 0) after_high_surrogate_ = false;
  return plain;
}

void JsonShortener::put_in_string(char c) {
  if (escape_ == 0) {
    if (c == '"') {
      in_string_ = false;
      append(c);
      return;
    }
    const bool may_cut = !after_high_surrogate_ && !continues_character(c);
    if (string_left_ == 0 && may_cut) dropping_ = shortened_ = true;
    if (c == '\\') {
      escape_ = 1;
    } else {
      after_high_surrogate_ = false;
    }
  } else if (escape_ == 1) {
    escape_ = c == 'u' ? 2 : 0;
    code_ = 0;
    if (c != 'u') after_high_surrogate_ = false;
  } else {
    code_ = code_ * 16 + static_cast<std::uint32_t>(std::max(hex_digit(c), 0));
    if (++escape_ == 6) {
      escape_ = 0;
      after_high_surrogate_ = is_high_surrogate(code_);
    }
  }
  if (dropping_ || !append(c)) return;
  if (string_left_ > 0) --string_left_;
}

void JsonShortener::put_outside(char c) {
  switch (c) {
    case '"': {
      const std::size_t room = bytes_max_ - std::min(out_.size(), bytes_max_);
      string_left_ = std::min(string_bytes_, room - room / 4);
      in_string_ = true;
      dropping_ = after_high_surrogate_ = false;
      escape_ = 0;
      append(c);
      return;
    }
    case '{':
    case '[':
      if (open_.size() == depth_max) return end();
      if (!append(c)) return;
      open_ += c;
      if (c == '[') ++arrays_;
      return mark_safe();
    case '}':
    case ']':
      if (!append(c)) return;
      if (!open_.empty()) {
        if (open_.back() == '[') --arrays_;
        open_.pop_back();
      }
      return mark_safe();
    case ',':
      mark_safe();
      append(c);
      return;
    default:
      append(c);
  }
}

bool JsonShortener::append(char c) {
  if (out_.size() >= bytes_max_) {
    end();
    return false;
  }
  make_room(1);
  out_ += c;
  return true;
}

/// In halves of the bound: std::string at least doubles what it has, and must not go past that.
void JsonShortener::make_room(std::size_t bytes) {
  const std::size_t needed = out_.size() + bytes;
  if (needed <= out_.capacity()) return;
  std::size_t size = bytes_max_ + depth_max;
  while (size / 2 >= std::max(needed, limits::KiB)) size /= 2;
  out_.reserve(size);
}

void JsonShortener::mark_safe() {
  // Inside an element of an array, the text may not end: half an element says what was not said.
  if (arrays_ > 1 || (arrays_ == 1 && open_.back() != '[')) return;
  safe_size_ = out_.size();
  safe_open_ = open_;
}

void JsonShortener::end() {
  full_ = shortened_ = true;
  out_.resize(safe_size_);
  for (auto bracket = safe_open_.rbegin(); bracket != safe_open_.rend(); ++bracket) {
    out_ += *bracket == '{' ? '}' : ']';
  }
}

}  // namespace muster::http
