// SPDX-License-Identifier: Apache-2.0
#include "version/apk.h"

#include <array>

#include "base/text.h"
#include "version/parts.h"

namespace muster::version {

namespace {

/// The kinds of parts, in the order in which different kinds compare.
enum class Kind {
  fault,
  early_suffix,
  end,
  revision,
  commit,
  suffix_number,
  late_suffix,
  letter_number,
  letter,
  number,
  first_number,
};

struct Part {
  Kind kind = Kind::end;
  std::string_view text = {};
  std::size_t suffix = 0;
};

constexpr std::array<std::string_view, 9> suffixes{"alpha", "beta", "pre", "rc", "cvs",
                                                   "svn",   "git",  "hg",  "p"};
constexpr std::size_t first_late_suffix = 4;

/// Reads a version part by part, each only where the grammar allows it.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : rest_(text) {}

  Part next() noexcept {
    Part part = read();
    if (part.kind == Kind::fault) rest_ = {};
    last_ = part.kind;
    started_ = true;
    return part;
  }

 private:
  bool after(Kind kind) const noexcept { return started_ && last_ == kind; }
  bool after_number() const noexcept { return after(Kind::number) || after(Kind::first_number); }
  bool after_suffix() const noexcept {
    return after(Kind::early_suffix) || after(Kind::late_suffix);
  }

  Part read() noexcept {
    if (!started_) return numeric(Kind::first_number);
    if (rest_.empty()) return {};
    const char front = rest_.front();
    if (is_digit(front) && after(Kind::letter)) return numeric(Kind::letter_number);
    if (is_digit(front) && after_suffix()) return numeric(Kind::suffix_number);
    if (front >= 'a' && front <= 'z' && after_number()) return {Kind::letter, take(1)};
    if (after(Kind::revision)) return {Kind::fault};
    if (front == '-') {
      if (!drop_prefix(rest_, "-r")) return {Kind::fault};
      return numeric(Kind::revision);
    }
    if (after(Kind::commit)) return {Kind::fault};
    take(1);
    if (front == '.' && after_number()) return numeric(Kind::number);
    if (front == '_') return suffix();
    if (front == '~') return commit();
    return {Kind::fault};
  }

  std::string_view take(std::size_t length) noexcept {
    const auto taken = rest_.substr(0, length);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  Part numeric(Kind kind) noexcept {
    const auto digits = take_digits(rest_);
    return {digits.empty() ? Kind::fault : kind, digits};
  }

  Part suffix() noexcept {
    const auto word = take_letters(rest_);
    for (std::size_t i = 0; i < suffixes.size(); ++i) {
      if (word == suffixes[i]) {
        return {i < first_late_suffix ? Kind::early_suffix : Kind::late_suffix, word, i};
      }
    }
    return {Kind::fault};
  }

  Part commit() noexcept {
    std::size_t length = 0;
    while (length < rest_.size() && hex_digit(rest_[length]) >= 0) ++length;
    if (length == 0) return {Kind::fault};
    return {Kind::commit, take(length)};
  }

  std::string_view rest_;
  Kind last_ = Kind::fault;
  bool started_ = false;
};

std::weak_ordering compare_parts(const Part& a, const Part& b) noexcept {
  if (a.kind != b.kind) return a.kind <=> b.kind;
  switch (a.kind) {
    case Kind::early_suffix:
    case Kind::late_suffix:
      return a.suffix <=> b.suffix;
    case Kind::number:
      if (a.text.front() == '0' || b.text.front() == '0') return a.text.compare(b.text) <=> 0;
      return compare_digits(a.text, b.text);
    case Kind::commit:
    case Kind::letter:
      return a.text.compare(b.text) <=> 0;
    default:
      return compare_digits(a.text, b.text);
  }
}

}  // namespace

Result<void> validate_apk(std::string_view text) {
  Reader reader(text);
  for (;;) {
    const Kind kind = reader.next().kind;
    if (kind == Kind::end) return {};
    if (kind == Kind::fault) {
      return bad_version("apk", text,
                         "it is not numbers between dots, a letter, _suffixes, ~commit, -rNumber");
    }
  }
}

std::weak_ordering compare_apk(std::string_view a, std::string_view b) noexcept {
  Reader left(a);
  Reader right(b);
  for (;;) {
    const Part part = left.next();
    const auto order = compare_parts(part, right.next());
    if (order != 0 || part.kind == Kind::end || part.kind == Kind::fault) return order;
  }
}

}  // namespace muster::version
