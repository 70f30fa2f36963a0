// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::ctl {

/// How much a cell stands out. `plain` wears no colour; the rest do on a terminal that wants them.
enum class Style : std::uint8_t { plain, heading, notice, bad, alarm };

struct Cell {
  std::string text;  // as it came: the table escapes it
  Style style = Style::plain;
};

/// What standard output is.
struct Look {
  bool colour = false;
  std::optional<std::size_t> width = std::nullopt;  // of the terminal, in columns
};

/// Columns that `text` takes on a terminal: 0 for combining marks, 2 for East Asian wide characters
/// and pictographs (Unicode TR 11, by block), else 1. `text` must be UTF-8.
std::size_t display_width(std::string_view text);

/// `text` cut to at most `width` columns, the last of them "…" if anything was cut.
std::string cut_to_width(std::string_view text, std::size_t width);

/// `text` in lines of at most `width` columns, each `indent` to the right, broken at spaces: a word
/// that is longer stays whole.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

/// `text` with the escape sequences of `style` around it, if `look` has colours.
std::string painted(std::string_view text, Style style, const Look& look);

/// Aligned columns under headings. Where the terminal is too narrow, the widest columns that may
/// be cut give way first, then columns at the end are left out and the headings end with "+";
/// without a terminal nothing is cut.
class Table {
 public:
  enum class Align : std::uint8_t { left, right };
  struct Column {
    std::string heading;
    Align align = Align::left;
    bool whole = false;  // never cut: ids, numbers, times
  };

  explicit Table(std::vector<Column> columns);

  /// One cell for each column; escaped for terminals here, so that no caller forgets (mission
  /// rule 20).
  void add(std::vector<Cell> row);
  std::size_t size() const { return rows_.size(); }

  /// Lines with their ends; no line has trailing spaces.
  std::string render(const Look& look) const;
  /// Headings of the columns that say something and found no room.
  std::vector<std::string> left_out(const Look& look) const;
  /// Takes out the columns in which no row says anything, for terminals: `nothing` is what stands
  /// in such a cell. The first column stays.
  void drop_empty(std::string_view nothing);

 private:
  /// Of the columns that are shown: all, or as many as the terminal has room for.
  std::vector<std::size_t> widths(const Look& look) const;
  std::size_t room_for(std::size_t count, std::size_t width) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

/// One fact of an object: `label` and what it is.
struct Fact {
  std::string label;
  Cell value;
};

/// One fact a line, the values aligned.
std::string render_facts(const std::vector<Fact>& facts, const Look& look);

}  // namespace muster::ctl
