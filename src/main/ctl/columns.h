// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/json_read.h"
#include "main/ctl/table.h"

namespace muster::ctl {

/// How the values of a member are shown.
struct Format {
  Cell (*cell)(const Json& value);
  Table::Align align = Table::Align::left;
  bool whole = false;  // never cut
};

namespace formats {
extern const Format text;
extern const Format id;  // text or number that gets copied
extern const Format number;
extern const Format bytes;  // "64 KiB"
extern const Format percent;
extern const Format share;  // 0 to 1, as "97.6 %"
extern const Format age;    // seconds, as "3 d 4 h"
extern const Format time;   // RFC 3339, as "2026-03-21 14:30:01Z"
extern const Format yes_no;
extern const Format exploited;  // as yes_no, and a yes stands out
extern const Format severity;
extern const Format state;    // of a task or an agent: what went wrong stands out
extern const Format words;    // an array, joined by commas
extern const Format members;  // an object, as "name=value name=value"
extern const Format grants;   // of an operator, as "acme: admin, other: analyst"
extern const Format person;   // who did something: the member MEMBER_name instead, where it is
}  // namespace formats

/// One column of a list and one fact of an object alike: which member of the server's object, under
/// which heading, shown how. `member` may be a path, "evidence.range.fixed".
struct Column {
  std::string_view member;
  std::string_view heading;
  const Format* format = &formats::text;
};
using Columns = std::vector<Column>;

/// What stands where a member is null or absent.
inline constexpr std::string_view nothing_there = "—";

/// The value at a path of member names joined by dots; nothing if there is none on the way.
std::optional<Json> find_path(const Json& object, std::string_view path);

/// The text at a path; empty when there is none or it is no text.
std::string_view text_at(const Json& object, std::string_view path);

/// A table for rows of these columns.
Table table_of(const Columns& columns);
std::vector<Cell> cells_of(const Columns& columns, const Json& row);

/// The facts of `object`; members that it does not have are left out, null ones are not.
std::vector<Fact> facts_of(const Columns& columns, const Json& object);

/// "3 d 4 h": the two largest units of a number of seconds.
std::string age_text(std::int64_t seconds);

/// "2026-03-21 14:30:01Z"; text that is no RFC 3339 time stays as it is.
std::string time_text(std::string_view rfc3339);

}  // namespace muster::ctl
