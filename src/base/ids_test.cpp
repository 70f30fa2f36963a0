// SPDX-License-Identifier: Apache-2.0
#include "base/ids.h"

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/testing.h"

namespace muster {
namespace {

TEST(Uuid7, HasTheVersionAndVariantOfRfc9562) {
  SeededRng rng;
  for (int i = 0; i < 100; ++i) {
    const Uuid id = make_uuid7(rng, test_epoch);
    EXPECT_EQ(id.bytes[6] >> 4, 7);
    EXPECT_EQ(id.bytes[8] >> 6, 2);
  }
}

TEST(Uuid7, CarriesItsMillisecondAndSortsByIt) {
  SeededRng rng;
  std::vector<Uuid> ids;
  for (int i = 0; i < 300; ++i) ids.push_back(make_uuid7(rng, test_epoch + Duration(i)));
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  std::uint64_t millis = 0;
  for (std::size_t i = 0; i < 6; ++i) millis = millis << 8 | ids.front().bytes[i];
  EXPECT_EQ(millis, static_cast<std::uint64_t>(test_epoch.unix_ms));
}

TEST(Uuid7, DiffersWithinAMillisecond) {
  SeededRng rng;
  std::set<Uuid> ids;
  for (int i = 0; i < 10'000; ++i) ids.insert(make_uuid7(rng, test_epoch));
  EXPECT_EQ(ids.size(), 10'000U);
}

TEST(Uuid, TextIsReadBackInAnyCase) {
  SeededRng rng;
  for (int i = 0; i < 100; ++i) {
    const Uuid id = make_uuid7(rng, test_epoch);
    std::string text = id.text();
    EXPECT_EQ(text.size(), 36U);
    EXPECT_EQ(parse_uuid(text).value(), id);
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    EXPECT_EQ(parse_uuid(text).value(), id);
  }
  EXPECT_EQ(parse_uuid("01890a5d-ac96-774b-bcce-b302099a8057").value().text(),
            "01890a5d-ac96-774b-bcce-b302099a8057");
}

TEST(Uuid, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"", "01890a5dac96774bbcceb302099a8057", "01890a5d-ac96-774b-bcce-b302099a805",
        "01890a5d-ac96-774b-bcce-b302099a80577", "01890a5d-ac96-774b-bcce-b302099a805g",
        "01890a5d_ac96-774b-bcce-b302099a8057", "{1890a5d-ac96-774b-bcce-b302099a8057",
        "01890a5-dac96-774b-bcce-b302099a8057", "task-uuid-or-null"}) {
    EXPECT_FALSE(parse_uuid(text).ok()) << text;
  }
}

TEST(NumberIds, GrowAndStayBelowTheJsonLimit) {
  SeededRng rng;
  NumberIds ids(rng);
  std::int64_t last = 0;
  for (int i = 0; i < 20'000; ++i) {
    // More in one millisecond than its bits can number, and a clock that goes back.
    const Instant now = test_epoch + Duration(i / 5000 * (i % 2 == 0 ? 1 : -1));
    const auto id = ids.next<FindingId>(now);
    EXPECT_GT(id.value, last);
    EXPECT_LE(id.value, number_id_max);
    last = id.value;
  }
  const Instant in_2095 = parse_rfc3339("2095-01-01T00:00:00Z").value();
  EXPECT_GT(ids.next<FindingId>(in_2095).value, last);
  EXPECT_LE(ids.next<FindingId>(in_2095).value, number_id_max);
}

TEST(NumberIds, AreUniqueOverThreads) {
  SeededRng rng;
  NumberIds ids(rng);
  std::vector<std::vector<std::int64_t>> made(4);
  std::vector<std::thread> threads;
  for (auto& own : made) {
    threads.emplace_back([&ids, &own] {
      for (int i = 0; i < 5000; ++i) own.push_back(ids.next<EventId>(test_epoch).value);
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<std::int64_t> all;
  for (const auto& own : made) {
    EXPECT_TRUE(std::is_sorted(own.begin(), own.end()));
    all.insert(own.begin(), own.end());
  }
  EXPECT_EQ(all.size(), 20'000U);
}

TEST(NumberIds, OfProcessesWithPlacesOfTheirOwnNeverMeet) {
  std::set<std::int64_t> all;
  std::size_t given = 0;
  for (const std::int64_t place : {0, 1, 5, 63}) {
    SeededRng rng(static_cast<std::uint64_t>(place));
    NumberIds ids(rng);
    // What it gave before it had a place.
    std::int64_t last = ids.next<EventId>(test_epoch).value;
    ids.keep_to(place);
    for (int i = 0; i < 5000; ++i) {
      // Steady, in bursts that outrun their milliseconds, and with a clock that goes back.
      const Instant now = test_epoch + Duration(i < 2000 ? i / 4 : i < 4000 ? 500 : 100);
      const std::int64_t id = ids.next<EventId>(now).value;
      EXPECT_GT(id, last);
      EXPECT_GE(id, NumberIds::first<EventId>(now).value);
      last = id;
      all.insert(id);
      ++given;
    }
  }
  EXPECT_EQ(all.size(), given);
}

}  // namespace
}  // namespace muster
