// SPDX-License-Identifier: Apache-2.0
#include "http/rate_limit.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/testing.h"

namespace muster::http {
namespace {

constexpr Instant start = test_epoch;
constexpr Duration second{1000};

TEST(RateLimit, TheWindowBeginsWithTheFirstCall) {
  RateLimit limit;
  const Instant first = start + Duration(31'234);  // not on any minute's boundary
  EXPECT_TRUE(limit.take(1, 2, first).ok());
  EXPECT_TRUE(limit.take(1, 2, first + 59 * second).ok());
  EXPECT_FALSE(limit.take(1, 2, first + Duration(59'999)).ok());
  EXPECT_TRUE(limit.take(1, 2, first + 60 * second).ok()) << "the next window";
}

TEST(RateLimit, OneMoreThanTheLimitIsRefusedWithTheSecondsLeft) {
  RateLimit limit;
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(limit.take(1, 60, start + i * Duration(100)).ok());
  const auto refused = limit.take(1, 60, start + 10 * second);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::rate_limited);
  EXPECT_EQ(refused.error().retry_after_seconds, 50);
  EXPECT_EQ(limit.take(1, 60, start + Duration(59'001)).error().retry_after_seconds, 1);
  EXPECT_EQ(limit.take(1, 60, start + Duration(58'999)).error().retry_after_seconds, 2);
  EXPECT_TRUE(limit.take(1, 60, start + 60 * second).ok()) << "as promised";
}

TEST(RateLimit, RefusedCallsDoNotCount) {
  RateLimit limit;
  ASSERT_TRUE(limit.take(1, 1, start).ok());
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(limit.take(1, 1, start + Duration(i)).ok());
  EXPECT_TRUE(limit.take(1, 1, start + 60 * second).ok());
}

TEST(RateLimit, KeysAreCountedApartAndZeroIsOff) {
  RateLimit limit;
  EXPECT_TRUE(limit.take(1, 1, start).ok());
  EXPECT_TRUE(limit.take(2, 1, start).ok());
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(limit.take(3, 0, start).ok());
}

TEST(RateLimit, PeekCountsNothing) {
  RateLimit limit;
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(limit.peek(1, 1, start).ok());
  EXPECT_TRUE(limit.take(1, 1, start).ok());
  EXPECT_EQ(limit.peek(1, 1, start + 20 * second).error().retry_after_seconds, 40);
  EXPECT_TRUE(limit.peek(1, 1, start + 60 * second).ok());
}

TEST(RateLimit, AClockThatWentBackBeginsANewWindow) {
  RateLimit limit;
  ASSERT_TRUE(limit.take(1, 1, start).ok());
  const Instant earlier = start - std::chrono::hours(1);
  EXPECT_TRUE(limit.peek(1, 1, earlier).ok());
  EXPECT_TRUE(limit.take(1, 1, earlier).ok());
  EXPECT_EQ(limit.take(1, 1, earlier).error().retry_after_seconds, 60);
}

TEST(RateLimit, RemembersNoMoreKeysThanItMay) {
  constexpr std::size_t keys_max = 640;
  RateLimit limit(keys_max);
  std::size_t taken = 0;
  for (std::uint64_t key = 0; key < 10 * keys_max; ++key) {
    taken += limit.take(key, 1, start).ok() ? 1U : 0U;
  }
  EXPECT_LE(taken, keys_max);
  EXPECT_GE(taken, keys_max / 2) << "keys spread over the shards";
  // What is over makes room again.
  std::size_t later = 0;
  for (std::uint64_t key = 0; key < 10 * keys_max; ++key) {
    later += limit.take(key, 1, start + 60 * second).ok() ? 1U : 0U;
  }
  EXPECT_GE(later, keys_max / 2);
  EXPECT_LE(later, keys_max);
}

TEST(PeerKey, IsOfTheAddressAndOfAnIpv6HostsNetwork) {
  EXPECT_EQ(peer_key("2001:db8:0:1::1"), peer_key("2001:db8:0:1:ffff:ffff:ffff:ffff"));
  EXPECT_NE(peer_key("2001:db8:0:1::1"), peer_key("2001:db8:0:2::1"));
  EXPECT_EQ(peer_key("192.0.2.1"), peer_key("192.0.2.1"));
  EXPECT_NE(peer_key("192.0.2.1"), peer_key("192.0.2.2"));
  EXPECT_EQ(peer_source("2001:db8:0:1::1"), "2001:db8:0:1::/64");
  EXPECT_EQ(peer_source("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(peer_source("unknown"), "unknown");
}

TEST(RateLimit, IsExactOverThreads) {
  RateLimit limit;
  std::atomic<int> taken = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) taken += limit.take(7, 500, start + Duration(i)).ok() ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(taken, 500);
}

}  // namespace
}  // namespace muster::http
