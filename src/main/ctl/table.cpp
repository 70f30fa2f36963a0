// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/table.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "base/check.h"
#include "base/text.h"

namespace muster::ctl {

namespace {

constexpr std::string_view gap = "  ";
constexpr std::string_view ellipsis = "…";
/// Behind the headings when columns at the end found no room.
constexpr std::string_view left_out_mark = " +";
/// A column that gives way keeps as much as shows what it is about.
constexpr std::size_t cut_width_min = 6;

struct Block {
  char32_t first;
  char32_t last;
};

constexpr std::array<Block, 16> marks = {{
    {0x0300, 0x036F},
    {0x0483, 0x0489},
    {0x0591, 0x05BD},
    {0x0610, 0x061A},
    {0x064B, 0x065F},
    {0x06D6, 0x06DC},
    {0x0E34, 0x0E3A},
    {0x0E47, 0x0E4E},
    {0x1AB0, 0x1AFF},
    {0x1DC0, 0x1DFF},
    {0x200B, 0x200F},
    {0x202A, 0x202E},
    {0x2060, 0x206F},
    {0x20D0, 0x20FF},
    {0xFE00, 0xFE0F},
    {0xFE20, 0xFE2F},
}};

constexpr std::array<Block, 15> wide = {{
    {0x1100, 0x115F},
    {0x2E80, 0x303E},
    {0x3041, 0x33FF},
    {0x3400, 0x4DBF},
    {0x4E00, 0x9FFF},
    {0xA000, 0xA4CF},
    {0xA960, 0xA97F},
    {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},
    {0xFE30, 0xFE6F},
    {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6},
    {0x1F300, 0x1F64F},
    {0x1F680, 0x1F9FF},
    {0x20000, 0x3FFFD},
}};

template <std::size_t N>
bool is_in(const std::array<Block, N>& blocks, char32_t point) {
  const auto at = std::partition_point(blocks.begin(), blocks.end(),
                                       [&](const Block& block) { return block.last < point; });
  return at != blocks.end() && at->first <= point;
}

std::size_t point_width(char32_t point) {
  if (is_in(marks, point)) return 0;
  return is_in(wide, point) ? 2 : 1;
}

/// The first character of valid UTF-8, and how many bytes it takes.
struct Character {
  char32_t point;
  std::size_t bytes;
};

Character front_of(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<char32_t>(static_cast<unsigned char>(text[i])) : 0;
  };
  const char32_t lead = byte(0);
  const auto more = [&](std::size_t i) { return byte(i) & 0x3F; };
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) return {(lead & 0x1F) << 6 | more(1), std::min<std::size_t>(2, text.size())};
  if (lead < 0xF0) {
    return {(lead & 0x0F) << 12 | more(1) << 6 | more(2), std::min<std::size_t>(3, text.size())};
  }
  return {(lead & 0x07) << 18 | more(1) << 12 | more(2) << 6 | more(3),
          std::min<std::size_t>(4, text.size())};
}

std::string_view code_of(Style style) {
  switch (style) {
    case Style::plain:
      return "";
    case Style::heading:
      return "\x1b[1m";
    case Style::notice:
      return "\x1b[33m";
    case Style::bad:
      return "\x1b[31m";
    case Style::alarm:
      return "\x1b[1;31m";
  }
  check_failed("known style", __FILE__, __LINE__);
}

/// `cell` in `width` columns. The last left-aligned cell of a line is not padded.
std::string fitted(const Cell& cell, std::size_t width, Table::Align align, bool last,
                   const Look& look) {
  const std::string text = cut_to_width(cell.text, width);
  const std::string padding(width - display_width(text), ' ');
  if (align == Table::Align::right) return padding + painted(text, cell.style, look);
  return painted(text, cell.style, look) + (last ? std::string() : padding);
}

void trim_end(std::string& line) {
  line.erase(line.find_last_not_of(' ') + 1);
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Character character = front_of(text);
    width += point_width(character.point);
    text.remove_prefix(character.bytes);
  }
  return width;
}

std::string cut_to_width(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::string out;
  std::size_t left = width - 1;
  while (!text.empty()) {
    const Character character = front_of(text);
    const std::size_t taken = point_width(character.point);
    if (taken > left) break;
    left -= taken;
    out.append(text.substr(0, character.bytes));
    text.remove_prefix(character.bytes);
  }
  return out.append(ellipsis);
}

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  const std::string margin(indent, ' ');
  std::string out;
  std::string line;
  const auto end_line = [&] {
    if (!line.empty()) out.append(margin).append(line).append("\n");
    line.clear();
  };
  while (!text.empty()) {
    const auto space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    if (!line.empty() && indent + display_width(line) + 1 + display_width(word) > width) end_line();
    if (!line.empty()) line.push_back(' ');
    line.append(word);
  }
  end_line();
  return out;
}

std::string painted(std::string_view text, Style style, const Look& look) {
  if (!look.colour || style == Style::plain || text.empty()) return std::string(text);
  return std::string(code_of(style)).append(text).append("\x1b[0m");
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::add(std::vector<Cell> row) {
  CHECK(row.size() == columns_.size());
  for (Cell& cell : row) cell.text = escape_for_terminal(cell.text);
  rows_.push_back(std::move(row));
}

std::vector<std::size_t> Table::widths(const Look& look) const {
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(display_width(column.heading));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i].text));
    }
  }
  if (!look.width) return widths;
  const auto floor_of = [&](std::size_t i) {
    const std::size_t floor = std::max(cut_width_min, display_width(columns_[i].heading));
    return columns_[i].whole ? widths[i] : std::min(widths[i], floor);
  };
  // What does not fit even when all give way is left out, from the end.
  const auto fits = [&](std::size_t count) {
    std::size_t least = gap.size() * (count - 1);
    for (std::size_t i = 0; i < count; ++i) least += floor_of(i);
    return least <= room_for(count, *look.width);
  };
  while (widths.size() > 1 && !fits(widths.size())) widths.pop_back();
  const std::size_t room = room_for(widths.size(), *look.width);
  const std::size_t gaps = gap.size() * (widths.size() - 1);
  while (std::accumulate(widths.begin(), widths.end(), gaps) > room) {
    std::optional<std::size_t> widest;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (widths[i] <= floor_of(i)) continue;
      if (!widest || widths[i] > widths[*widest]) widest = i;
    }
    if (!widest) break;
    --widths[*widest];
  }
  for (std::size_t& width : widths) width = std::min(width, *look.width);
  return widths;
}

std::vector<std::string> Table::left_out(const Look& look) const {
  std::vector<std::string> headings;
  for (std::size_t i = widths(look).size(); i < columns_.size(); ++i) {
    headings.push_back(columns_[i].heading);
  }
  return headings;
}

void Table::drop_empty(std::string_view nothing) {
  for (std::size_t i = columns_.size(); i-- > 1;) {
    const bool empty = std::all_of(rows_.begin(), rows_.end(), [&](const auto& row) {
      return row[i].text.empty() || row[i].text == nothing;
    });
    if (!empty) continue;
    const auto at = static_cast<std::ptrdiff_t>(i);
    columns_.erase(columns_.begin() + at);
    for (auto& row : rows_) row.erase(row.begin() + at);
  }
}

std::size_t Table::room_for(std::size_t count, std::size_t width) const {
  const std::size_t mark = count == columns_.size() ? 0 : left_out_mark.size();
  return width > mark ? width - mark : width;
}

std::string Table::render(const Look& look) const {
  const std::vector<std::size_t> width = widths(look);
  std::string out;
  const auto line_of = [&](const auto& cell_at) {
    std::string line;
    for (std::size_t i = 0; i < width.size(); ++i) {
      if (i > 0) line.append(gap);
      line.append(fitted(cell_at(i), width[i], columns_[i].align, i + 1 == columns_.size(), look));
    }
    return line;
  };
  const auto end_line = [&](std::string line) {
    trim_end(line);
    out.append(line).append("\n");
  };
  std::string headings = line_of([&](std::size_t i) {
    return Cell{columns_[i].heading, Style::heading};
  });
  const std::size_t used =
      std::accumulate(width.begin(), width.end(), gap.size() * (width.size() - 1));
  const bool all = width.size() == columns_.size();
  if (!all && used + left_out_mark.size() <= look.width.value_or(0)) headings.append(left_out_mark);
  end_line(std::move(headings));
  for (const auto& row : rows_) {
    end_line(line_of([&](std::size_t i) { return row[i]; }));
  }
  return out;
}

std::string render_facts(const std::vector<Fact>& facts, const Look& look) {
  std::size_t label_width = 0;
  for (const Fact& fact : facts) label_width = std::max(label_width, display_width(fact.label));
  std::string out;
  for (const Fact& fact : facts) {
    std::string line = painted(fact.label, Style::heading, look);
    line.append(label_width - display_width(fact.label), ' ').append(gap);
    line.append(painted(escape_for_terminal(fact.value.text), fact.value.style, look));
    trim_end(line);
    out.append(line).append("\n");
  }
  return out;
}

}  // namespace muster::ctl
