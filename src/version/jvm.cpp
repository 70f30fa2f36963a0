// SPDX-License-Identifier: Apache-2.0
#include "version/jvm.h"

#include <algorithm>

#include "base/text.h"
#include "version/parts.h"

namespace muster::version {

namespace {

struct Parts {
  std::string_view release;
  /// The third number when it stands apart.
  std::string_view update;
  std::string_view pre;
  /// What is left and is none of these; empty in valid text.
  std::string_view rest;
};

std::string_view take_update(std::string_view& text) noexcept {
  for (const std::string_view before : {"_", "u", "-update", "-u"}) {
    std::string_view rest = text;
    if (!drop_prefix(rest, before) || !digit_first(rest)) continue;
    text = rest;
    return take_digits(text);
  }
  return {};
}

/// Cuts `-b10` off the front if it is there.
void drop_old_build(std::string_view& text) noexcept {
  std::string_view rest = text;
  if (!drop_prefix(rest, "-b") || take_digits(rest).empty()) return;
  if (rest.empty() || !is_alnum(rest.front())) text = rest;
}

std::string_view take_pre(std::string_view& text) noexcept {
  std::string_view rest = text;
  if (!drop_prefix(rest, "-")) return {};
  const auto end = std::find_if_not(rest.begin(), rest.end(), is_alnum);
  const auto pre = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  if (!pre.empty()) text = rest.substr(pre.size());
  return equal_folded(pre, "ga") ? std::string_view() : pre;
}

Parts split(std::string_view text) noexcept {
  Parts parts;
  text = trim(text);
  parts.release = take_release(text);
  std::string_view modern = parts.release;
  if (drop_prefix(modern, "1.")) parts.release = modern;
  parts.update = take_update(text);
  if (std::count(parts.release.begin(), parts.release.end(), '.') >= 2) parts.update = {};
  drop_old_build(text);
  parts.pre = take_pre(text);
  drop_old_build(text);
  drop_build(text);
  parts.rest = text;
  return parts;
}

/// The numbers of a version, the update in its place; empty ones beyond the last.
class Numbers {
 public:
  explicit Numbers(const Parts& parts) noexcept : release_(parts.release), update_(parts.update) {}

  bool done() const noexcept { return release_.empty() && update_.empty(); }

  std::string_view next() noexcept {
    ++count_;
    if (!release_.empty()) {
      const auto number = take_digits(release_);
      release_.remove_prefix(std::min<std::size_t>(1, release_.size()));
      return number;
    }
    if (count_ < 3) return {};
    const auto update = update_;
    update_ = {};
    return update;
  }

 private:
  std::string_view release_;
  std::string_view update_;
  int count_ = 0;
};

std::weak_ordering compare_pre(std::string_view a, std::string_view b) noexcept {
  if (a.empty() || b.empty()) return a.empty() <=> b.empty();
  const bool left_number = std::all_of(a.begin(), a.end(), is_digit);
  const bool right_number = std::all_of(b.begin(), b.end(), is_digit);
  if (left_number != right_number) return right_number <=> left_number;
  return left_number ? compare_digits(a, b) : compare_folded(a, b);
}

}  // namespace

Result<void> validate_jvm(std::string_view text) {
  const Parts parts = split(text);
  if (parts.release.empty()) {
    return bad_version("jvm", text, "it does not start with a number");
  }
  if (!parts.rest.empty()) {
    return bad_version("jvm", text, "after the numbers comes no update, prerelease or build");
  }
  return {};
}

std::weak_ordering compare_jvm(std::string_view a, std::string_view b) noexcept {
  const Parts left = split(a);
  const Parts right = split(b);
  Numbers x(left);
  Numbers y(right);
  while (!x.done() || !y.done()) {
    if (const auto order = compare_digits(x.next(), y.next()); order != 0) return order;
  }
  return compare_pre(left.pre, right.pre);
}

}  // namespace muster::version
