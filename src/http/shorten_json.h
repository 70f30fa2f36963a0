// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace muster::http {

/// Shortens a JSON text while it arrives, so that it is never held whole. Strings keep their front;
/// when the rest fits all the same, nothing else is lost. Otherwise everything from some place on
/// is: of an array that is cut there, only whole elements stay. What is left of a JSON text is one;
/// what is none stays none, or becomes one.
class JsonShortener {
 public:
  /// What is left is at most `bytes_max`. Strings are cut beyond `string_bytes`, escapes counted as
  /// they are written, and to three quarters of what room is left.
  JsonShortener(std::size_t bytes_max, std::size_t string_bytes);

  void put(std::string_view part);
  /// Whether anything was lost.
  bool shortened() const { return shortened_; }
  /// What is left. After the last part.
  std::string take() { return std::move(out_); }

 private:
  std::size_t put_plain(std::string_view part);
  void put_in_string(char c);
  void put_outside(char c);
  bool append(char c);
  void make_room(std::size_t bytes);
  void mark_safe();
  void end();

  const std::size_t bytes_max_;
  const std::size_t string_bytes_;
  std::string out_;

  std::string open_;        // brackets, outermost first
  std::size_t arrays_ = 0;  // of them
  // Where the text may end: up to here, and then these brackets closed.
  std::size_t safe_size_ = 0;
  std::string safe_open_;
  bool full_ = false;
  bool shortened_ = false;

  bool in_string_ = false;
  bool dropping_ = false;  // the rest of the string
  std::size_t string_left_ = 0;
  int escape_ = 0;  // characters of an escape so far
  std::uint32_t code_ = 0;
  bool after_high_surrogate_ = false;  // which may not stand alone
};

}  // namespace muster::http
