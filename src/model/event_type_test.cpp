// SPDX-License-Identifier: Apache-2.0
#include "model/event_type.h"

#include <gtest/gtest.h>

#include <set>

namespace muster::model {
namespace {

TEST(EventTypes, AreReadAsTheyAreWritten) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < event_type_count; ++i) {
    const auto type = static_cast<EventType>(i);
    const std::string_view name = event_type_name(type);
    EXPECT_TRUE(names.insert(name).second) << name << " stands twice";
    EXPECT_EQ(read_event_type(name, "type").value(), type) << name;
  }
  EXPECT_TRUE(names.contains("came_online"));
  EXPECT_TRUE(names.contains("webhook_test"));
}

TEST(EventTypes, ThatAreUnknownAreRefusedWithThoseThatAreNot) {
  for (const char* text : {"", "online", "came_online ", "Came_online", "came_online\n"}) {
    const auto read = read_event_type(text, "events[2]");
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.error().code, Errc::invalid_field);
    EXPECT_EQ(read.error().field, "events[2]");
    EXPECT_NE(read.error().message.find("came_online, went_offline, "), std::string::npos);
    EXPECT_NE(read.error().message.find(", webhook_test"), std::string::npos);
  }
}

/// A webhook looks for its types with LIKE, where an underscore is any letter.
TEST(EventTypes, DifferInMoreThanAnUnderscore) {
  const auto meets = [](std::string_view pattern, std::string_view text) {
    if (pattern.size() != text.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (pattern[i] != '_' && pattern[i] != text[i]) return false;
    }
    return true;
  };
  for (std::size_t i = 0; i < event_type_count; ++i) {
    for (std::size_t j = 0; j < event_type_count; ++j) {
      const std::string_view a = event_type_name(static_cast<EventType>(i));
      const std::string_view b = event_type_name(static_cast<EventType>(j));
      EXPECT_EQ(meets(a, b), i == j) << a << " " << b;
    }
  }
}

}  // namespace
}  // namespace muster::model
