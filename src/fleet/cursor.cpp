// SPDX-License-Identifier: Apache-2.0
#include "fleet/cursor.h"

#include "base/text.h"

namespace muster::fleet {

Error not_a_cursor() {
  return invalid_field("cursor", "is not a cursor of this list");
}

Result<std::int64_t> parse_id_cursor(std::string_view cursor, std::int64_t start) {
  if (cursor.empty()) return start;
  const std::int64_t id = TRY(parse_cursor_number(cursor));
  if (id == 0) return not_a_cursor();
  return id;
}

Result<Uuid> parse_uuid_cursor(std::string_view cursor, const Uuid& start) {
  if (cursor.empty()) return start;
  return parse_cursor_uuid(cursor);
}

Result<CursorParts> split_cursor(std::string_view cursor, char mark) {
  const auto at = cursor.find(mark);
  if (at == std::string_view::npos) return not_a_cursor();
  return CursorParts{cursor.substr(0, at), cursor.substr(at + 1)};
}

Result<std::int64_t> parse_cursor_number(std::string_view part) {
  const auto number = parse_int(part);
  if (!number || *number < 0 || *number > number_id_max) return not_a_cursor();
  return *number;
}

Result<Uuid> parse_cursor_uuid(std::string_view part) {
  const Result<Uuid> id = parse_uuid(part);
  if (!id.ok()) return not_a_cursor();
  return *id;
}

}  // namespace muster::fleet
