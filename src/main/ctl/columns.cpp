// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/columns.h"

#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/time.h"

namespace muster::ctl {

namespace {

/// A value of any kind in one line: texts without quotes, the rest as JSON.
std::string any_text(const Json& value) {
  if (const auto text = value.string()) return std::string(*text);
  return value.serialise();
}

Cell plain_cell(const Json& value) {
  return {any_text(value)};
}

Cell bytes_cell(const Json& value) {
  const auto count = value.integer();
  if (!count) return plain_cell(value);
  constexpr std::array<std::pair<std::int64_t, const char*>, 3> units = {
      {{std::int64_t{1} << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}}};
  for (const auto& [unit, name] : units) {
    if (*count < unit) continue;
    if (*count % unit == 0) return {fmt::format("{} {}", *count / unit, name)};
    return {
        fmt::format("{:.1f} {}", static_cast<double>(*count) / static_cast<double>(unit), name)};
  }
  return {fmt::format("{} B", *count)};
}

Cell percent_cell(const Json& value) {
  const auto number = value.number();
  return number ? Cell{fmt::format("{:.1f} %", *number)} : plain_cell(value);
}

Cell age_cell(const Json& value) {
  const auto seconds = value.integer();
  return seconds ? Cell{age_text(*seconds)} : plain_cell(value);
}

Cell time_cell(const Json& value) {
  return {time_text(any_text(value))};
}

Cell yes_no_cell(const Json& value) {
  const auto flag = value.boolean();
  return flag ? Cell{*flag ? "yes" : "no"} : plain_cell(value);
}

Cell exploited_cell(const Json& value) {
  Cell cell = yes_no_cell(value);
  if (cell.text == "yes") cell.style = Style::alarm;
  return cell;
}

Cell share_cell(const Json& value) {
  const auto share = value.number();
  if (!share) return plain_cell(value);
  const auto tenths = static_cast<int>(std::lround(*share * 1000.0));
  return {std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %"};
}

Cell severity_cell(const Json& value) {
  Cell cell = plain_cell(value);
  if (cell.text == "critical") cell.style = Style::alarm;
  if (cell.text == "high") cell.style = Style::bad;
  if (cell.text == "medium") cell.style = Style::notice;
  return cell;
}

Cell state_cell(const Json& value) {
  Cell cell = plain_cell(value);
  if (cell.text == "failed" || cell.text == "unprotected") cell.style = Style::bad;
  if (cell.text == "offline" || cell.text == "expired" || cell.text == "disabled" ||
      cell.text == "error" || cell.text == "overdue") {
    cell.style = Style::notice;
  }
  return cell;
}

Cell words_cell(const Json& value) {
  if (!value.is_array()) return plain_cell(value);
  std::string out;
  value.for_each([&](const Json& element) {
    if (!out.empty()) out += ", ";
    out += any_text(element);
  });
  return {out};
}

Cell members_cell(const Json& value) {
  if (!value.is_object()) return plain_cell(value);
  std::string out;
  value.for_each_member([&](std::string_view name, const Json& member) {
    if (!out.empty()) out += " ";
    out.append(name).append("=").append(any_text(member));
  });
  return {out};
}

Cell grants_cell(const Json& value) {
  if (!value.is_array()) return plain_cell(value);
  std::string out;
  value.for_each([&](const Json& grant) {
    if (!out.empty()) out += ", ";
    out.append(text_at(grant, "org")).append(": ").append(text_at(grant, "role"));
  });
  return {out};
}

/// The name of an operator where the server says it beside the id.
std::optional<Json> name_beside(const Column& column, const Json& row) {
  if (column.format != &formats::person) return std::nullopt;
  auto name = find_path(row, std::string(column.member) + "_name");
  return name && name->string() ? name : std::nullopt;
}

Cell cell_at(const Column& column, const std::optional<Json>& value) {
  if (!value || value->is_null()) return {std::string(nothing_there)};
  return column.format->cell(*value);
}

}  // namespace

namespace formats {
constexpr auto left = Table::Align::left;
constexpr auto right = Table::Align::right;
const Format text{plain_cell};
const Format id{plain_cell, left, true};
const Format number{plain_cell, right, true};
const Format bytes{bytes_cell, right, true};
const Format percent{percent_cell, right, true};
const Format age{age_cell, right, true};
const Format time{time_cell, left, true};
const Format share{share_cell, right, true};
const Format yes_no{yes_no_cell, left, true};
const Format exploited{exploited_cell, left, true};
const Format severity{severity_cell, left, true};
const Format state{state_cell, left, true};
const Format words{words_cell};
const Format members{members_cell};
const Format grants{grants_cell};
const Format person{plain_cell};
}  // namespace formats

std::optional<Json> find_path(const Json& object, std::string_view path) {
  std::optional<Json> at = object;
  while (at) {
    const auto dot = path.find('.');
    at = at->find(path.substr(0, dot));
    if (dot == std::string_view::npos) return at;
    path.remove_prefix(dot + 1);
  }
  return at;
}

std::string_view text_at(const Json& object, std::string_view path) {
  const auto value = find_path(object, path);
  return value ? value->string().value_or("") : std::string_view();
}

Table table_of(const Columns& columns) {
  std::vector<Table::Column> headings;
  for (const Column& column : columns) {
    headings.push_back({std::string(column.heading), column.format->align, column.format->whole});
  }
  return Table(std::move(headings));
}

std::vector<Cell> cells_of(const Columns& columns, const Json& row) {
  std::vector<Cell> cells;
  for (const Column& column : columns) {
    const auto name = name_beside(column, row);
    cells.push_back(cell_at(column, name ? name : find_path(row, column.member)));
  }
  return cells;
}

std::vector<Fact> facts_of(const Columns& columns, const Json& object) {
  std::vector<Fact> facts;
  for (const Column& column : columns) {
    const auto value = find_path(object, column.member);
    if (!value) continue;
    const auto name = name_beside(column, object);
    facts.push_back({std::string(column.heading), cell_at(column, name ? name : value)});
  }
  return facts;
}

std::string age_text(std::int64_t seconds) {
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min", seconds / 60);
  if (seconds < 86400) return fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
  return fmt::format("{} d {} h", seconds / 86400, seconds % 86400 / 3600);
}

std::string time_text(std::string_view rfc3339) {
  const Result<Instant> at = parse_rfc3339(rfc3339);
  if (!at.ok()) return std::string(rfc3339);
  std::string text = format_rfc3339(*at);
  text[text.find('T')] = ' ';
  return text;
}

}  // namespace muster::ctl
