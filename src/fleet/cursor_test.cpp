// SPDX-License-Identifier: Apache-2.0
#include "fleet/cursor.h"

#include <string>

#include <gtest/gtest.h>

namespace muster::fleet {
namespace {

constexpr std::string_view uuid = "0190f1c2-7b1e-7000-8000-00000000abcd";

template <typename T>
bool is_refused(const Result<T>& cursor) {
  return !cursor.ok() && cursor.error().code == Errc::invalid_field &&
         cursor.error().field == "cursor";
}

TEST(Cursor, OfIdsIsAnIdOrEmptyForTheStart) {
  EXPECT_EQ(parse_id_cursor("", 7).value(), 7);
  EXPECT_EQ(parse_id_cursor("1", 7).value(), 1);
  EXPECT_EQ(parse_id_cursor("9007199254740991", 7).value(), number_id_max);
  for (const std::string_view none :
       {"0", "-1", "x", "1x", " 1", "1 ", "1.1", "9007199254740992", "99999999999999999999"}) {
    EXPECT_TRUE(is_refused(parse_id_cursor(none, 7))) << none;
  }
  EXPECT_TRUE(is_refused(parse_id_cursor(uuid, 7)));
}

TEST(Cursor, OfUuidsIsAUuidOrEmptyForTheStart) {
  const Uuid start = parse_uuid("ffffffff-ffff-ffff-ffff-ffffffffffff").value();
  EXPECT_EQ(parse_uuid_cursor("", start).value(), start);
  EXPECT_EQ(parse_uuid_cursor(uuid, start).value().text(), uuid);
  for (const std::string& none : {std::string("1"), std::string("x"), std::string(uuid.substr(1)),
                                  std::string(uuid) + ".1"}) {
    EXPECT_TRUE(is_refused(parse_uuid_cursor(none, start))) << none;
  }
}

TEST(Cursor, OfPartsIsSplitAtTheFirstMark) {
  const CursorParts parts = split_cursor("1.a.b", '.').value();
  EXPECT_EQ(parts.first, "1");
  EXPECT_EQ(parts.rest, "a.b");
  EXPECT_EQ(split_cursor(".", '.').value().rest, "");
  EXPECT_TRUE(is_refused(split_cursor("1", '.')));
  EXPECT_TRUE(is_refused(split_cursor("", '.')));
}

TEST(Cursor, HasPartsThatAreNotEmpty) {
  EXPECT_EQ(parse_cursor_number("0").value(), 0);
  EXPECT_TRUE(is_refused(parse_cursor_number("")));
  EXPECT_TRUE(is_refused(parse_cursor_number("-1")));
  EXPECT_EQ(parse_cursor_uuid(uuid).value().text(), uuid);
  EXPECT_TRUE(is_refused(parse_cursor_uuid("")));
}

}  // namespace
}  // namespace muster::fleet
