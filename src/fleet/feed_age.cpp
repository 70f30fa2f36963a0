// SPDX-License-Identifier: Apache-2.0
#include "fleet/feed_age.h"

#include <algorithm>

#include "fleet/history.h"
#include "model/os_support.h"
#include "store/sql/coverage.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

std::int64_t stale_days(const Config& config, feeds::FeedKind kind) {
  switch (kind) {
#define FEED(name)            \
  case feeds::FeedKind::name: \
    return config.feeds_##name##_stale_days;
#include "feeds/feeds.def"
#undef FEED
  }
  check_failed("a known feed", __FILE__, __LINE__);
}

void tell(store::Tx& tx, NumberIds& ids, model::EventType type, const FeedAge& age, Instant now) {
  record_event(
      tx, ids, OrgId{0}, type, std::nullopt, std::nullopt,
      [&](JsonWriter& details) {
        details.member("feed", feeds::feed_name(age.kind))
            .member("published", age.published)
            .member("imported_at", age.imported_at);
      },
      now);
}

}  // namespace

std::vector<FeedAge> feed_ages(const std::vector<store::FeedRow>& feeds, const Config& config,
                               Instant now) {
  std::vector<FeedAge> ages = {
#define FEED(name) {feeds::FeedKind::name, 0, {}, {}, {}, false},
#include "feeds/feeds.def"
#undef FEED
  };
  for (FeedAge& age : ages) {
    const auto row = std::find_if(feeds.begin(), feeds.end(), [&](const store::FeedRow& feed) {
      return feed.feed == feeds::feed_name(age.kind);
    });
    if (row == feeds.end()) continue;
    age.records = row->records;
    age.published = row->published;
    age.imported_at = row->imported_at;
    const auto day = model::leading_day(row->published);
    age.of = day ? std::min(*day, row->imported_at) : row->imported_at;
    age.stale = now - *age.of > std::chrono::hours(24 * stale_days(config, age.kind));
  }
  return ages;
}

std::vector<FeedAge> list_feed_ages(store::Store& store, const Config& config, Instant now) {
  return feed_ages(store.read([](store::Reader& reader) { return store::list_feeds(reader); }),
                   config, now);
}

std::size_t watch_feed_age(store::Store& store, NumberIds& ids, const Config& config, Instant now) {
  const auto changes = [&](store::Reader& reader) {
    const auto told = store::list_stale_feeds(reader);
    auto ages = feed_ages(store::list_feeds(reader), config, now);
    std::erase_if(ages, [&](const FeedAge& age) {
      const bool known = std::any_of(told.begin(), told.end(), [&](const store::StaleFeed& stale) {
        return stale.feed == feeds::feed_name(age.kind);
      });
      return known == age.stale;
    });
    return ages;
  };
  if (store.read(changes).empty()) return 0;
  return store.write([&](store::Tx& tx) {
    const std::vector<FeedAge> changed = changes(tx);
    for (const FeedAge& age : changed) {
      const std::string name(feeds::feed_name(age.kind));
      if (age.stale) {
        store::set_stale_feed(tx, {name, now});
        tell(tx, ids, model::EventType::feed_stale, age, now);
      } else {
        store::delete_stale_feed(tx, name);
        tell(tx, ids, model::EventType::feed_recovered, age, now);
      }
    }
    return changed.size();
  });
}

}  // namespace muster::fleet
