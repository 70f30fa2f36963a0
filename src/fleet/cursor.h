// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"

/// What the cursors of lists have in common. A cursor is the place of a page's last row in the
/// order of its list, so that the next page is found when that row is gone by then. Each is the
/// business of its list; what no list can have handed out is refused, never taken for the start.
namespace muster::fleet {

/// An invalid_field naming `cursor`.
Error not_a_cursor();

/// Of a list in the order of numbered ids: `start` for an empty one, else an id, which is above 0.
/// Fails with not_a_cursor().
Result<std::int64_t> parse_id_cursor(std::string_view cursor, std::int64_t start);
/// Of a list in the order of UUIDs: `start` for an empty one. Fails with not_a_cursor().
Result<Uuid> parse_uuid_cursor(std::string_view cursor, const Uuid& start);

/// The parts of a cursor: what stands before and behind the first `mark`. Fails with
/// not_a_cursor() if there is none.
struct CursorParts {
  std::string_view first;
  std::string_view rest;
};
Result<CursorParts> split_cursor(std::string_view cursor, char mark);
/// A part that is a number from 0 to number_id_max. Fails with not_a_cursor().
Result<std::int64_t> parse_cursor_number(std::string_view part);
/// Fails with not_a_cursor().
Result<Uuid> parse_cursor_uuid(std::string_view part);

}  // namespace muster::fleet
