// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/shell.h"

#include <ostream>
#include <sstream>

#include "base/json_write.h"
#include "base/text.h"

namespace muster::ctl {

namespace {

/// JSON allows DEL and the C1 controls in texts as they are, and terminals obey them: as escapes
/// they mean the same to a parser and nothing to a terminal.
std::string without_raw_controls(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  constexpr std::string_view digits = "0123456789abcdef";
  const auto escape = [&](unsigned char byte) {
    out += "\\u00";
    out.push_back(digits[byte >> 4]);
    out.push_back(digits[byte & 15]);
  };
  for (std::size_t i = 0; i < json.size(); ++i) {
    const auto byte = static_cast<unsigned char>(json[i]);
    const auto next = i + 1 < json.size() ? static_cast<unsigned char>(json[i + 1]) : 0U;
    if (byte == 0x7F) {
      escape(byte);
    } else if (byte == 0xC2 && next >= 0x80 && next < 0xA0) {
      escape(static_cast<unsigned char>(next));
      ++i;
    } else {
      out.push_back(json[i]);
    }
  }
  return out;
}

}  // namespace

void Shell::print_json(std::string_view value) const {
  world_.out << without_raw_controls(trim(value)) << "\n";
}

void Shell::print_json_part(std::string_view part) const {
  world_.out << without_raw_controls(part);
}

void Shell::print(std::string_view text) const {
  world_.out << text;
}

void Shell::remark(std::string_view line) const {
  if (json_) return;
  world_.out.flush();
  world_.err << escape_for_terminal(line) << "\n";
}

void Shell::warn(std::string_view line) const {
  if (!json_) return remark(line);
  world_.out.flush();
  JsonWriter json;
  json.begin_object().member("warning", line).end_object();
  world_.err << without_raw_controls(json.text()) << "\n";
}

void Shell::progress(std::string_view line) const {
  if (json_ || !world_.error_look.width) return;
  world_.out.flush();
  // One byte a column at least: the line must not break, or it could not be taken back.
  const std::string shown = escape_for_terminal(line);
  world_.err << "\r\x1b[K" << cut_utf8(shown, *world_.error_look.width - 1) << std::flush;
}

void Shell::print_facts(const std::vector<Fact>& facts) const {
  world_.out << render_facts(facts, look_);
}

void Shell::complain(std::string_view code, const Error& error) const {
  world_.out.flush();
  if (!json_) {
    world_.err << painted("muster:", Style::heading, world_.error_look) << " "
               << escaped_lines(error.message);
    return;
  }
  JsonWriter json;
  json.begin_object().member("error", code).member("message", error.message);
  if (!error.field.empty()) json.member("field", error.field);
  json.end_object();
  world_.err << without_raw_controls(json.text()) << "\n";
}

ListPrinter::ListPrinter(const Shell& shell, const Columns& columns, Counted counted)
    : shell_(shell), columns_(columns), counted_(counted), table_(table_of(columns)) {}

void ListPrinter::add(const Json& item) {
  if (!shell_.json()) return add_row(cells_of(columns_, item));
  shell_.print_json_part(count_ == 0 ? "[" : ", ");
  shell_.print_json_part(item.serialise());
  ++count_;
}

void ListPrinter::add_row(std::vector<Cell> cells) {
  ++count_;
  table_.add(std::move(cells));
}

void ListPrinter::finish(bool more) {
  if (shell_.json()) {
    shell_.print_json(count_ == 0 ? "[]" : "]");
    return;
  }
  if (count_ == 0) {
    shell_.remark("no " + std::string(counted_.many));
    return;
  }
  if (shell_.look().width) table_.drop_empty(nothing_there);
  shell_.print(table_.render(shell_.look()));
  std::string line = std::to_string(count_) + " ";
  line.append(count_ == 1 ? counted_.one : counted_.many);
  if (more) line += " shown, there are more (--limit)";
  shell_.remark(line);
  std::string hidden;
  for (const std::string& heading : table_.left_out(shell_.look())) {
    hidden.append(hidden.empty() ? "" : ", ").append(heading);
  }
  if (!hidden.empty()) shell_.remark("without " + hidden + ": --wide shows all");
}

namespace {

/// The headings and a line for each row; aligned where that fits the terminal, and never cut.
std::vector<std::string> block_lines(const Json& rows, const Columns& columns, const Look& look) {
  Table table = table_of(columns);
  std::vector<std::string> narrow{""};
  for (const Column& column : columns) {
    narrow.front().append(narrow.front().empty() ? "" : "  ");
    narrow.front().append(painted(column.heading, Style::heading, look));
  }
  rows.for_each([&](const Json& row) {
    std::string line;
    std::vector<Cell> cells = cells_of(columns, row);
    for (const Cell& cell : cells) {
      line.append(line.empty() ? "" : "  ");
      line.append(painted(escape_for_terminal(cell.text), cell.style, look));
    }
    narrow.push_back(std::move(line));
    table.add(std::move(cells));
  });
  bool fits = true;
  std::vector<std::string> aligned;
  const auto each_line = [](const std::string& text, const auto& use) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) use(line);
  };
  each_line(table.render({}),
            [&](const std::string& line) { fits = fits && display_width(line) <= *look.width; });
  each_line(table.render({.colour = look.colour}),
            [&](const std::string& line) { aligned.push_back(line); });
  return fits ? aligned : narrow;
}

}  // namespace

void print_blocks(const Shell& shell, const std::string& array, const Columns& columns,
                  std::string_view text, Counted counted) {
  if (shell.json() || !shell.look().width) {
    Columns all = columns;
    std::string heading(text);
    for (char& c : heading) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    all.push_back({text, heading});
    return print_array(shell, array, all, counted);
  }
  constexpr std::size_t indent = 4;
  JsonDocument document;
  const Result<Json> rows = document.parse(array);
  CHECK(rows.ok());
  const std::vector<std::string> lines = block_lines(*rows, columns, shell.look());
  auto line = lines.begin();
  shell.print(*line + "\n");
  rows->for_each([&](const Json& row) {
    shell.print(*++line + "\n");
    shell.print(wrapped(escape_for_terminal(text_at(row, text)), indent, *shell.look().width));
  });
  shell.remark(std::to_string(rows->size()) + " " + std::string(counted.many));
}

void print_array(const Shell& shell, const std::string& array, const Columns& columns,
                 Counted counted) {
  JsonDocument document;
  const Result<Json> rows = document.parse(array);
  CHECK(rows.ok());
  ListPrinter printer(shell, columns, counted);
  rows->for_each([&](const Json& row) { printer.add(row); });
  printer.finish(false);
}

std::string escaped_lines(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto end = text.find_first_of("\n\t");
    std::string_view part = text.substr(0, end);
    const bool line_end = end == std::string_view::npos || text[end] == '\n';
    if (line_end && part.ends_with('\r')) part.remove_suffix(1);
    out.append(escape_for_terminal(part)).append(line_end ? "\n" : "\t");
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace muster::ctl
