// SPDX-License-Identifier: Apache-2.0
#include "fleet/watchers.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/guarded.h"
#include "base/json_write.h"

namespace muster::fleet {

namespace {

/// Streams that began together end apart, and their callers come back apart.
constexpr std::uint64_t spread_steps = 64;
constexpr std::int64_t retry_least_ms = 1'000;
constexpr std::int64_t retry_spread_ms = 4'000;

Duration lasting(std::uint64_t number) {
  const auto step = static_cast<std::int64_t>(number * 37 % spread_steps);
  return Watchers::stream_max / 2 +
         Watchers::stream_max / 2 * step / static_cast<std::int64_t>(spread_steps);
}

std::string greeting(std::uint64_t number) {
  const auto step = static_cast<std::int64_t>(number * 23 % spread_steps);
  return "retry: " +
         std::to_string(retry_least_ms +
                        retry_spread_ms * step / static_cast<std::int64_t>(spread_steps)) +
         "\nevent: ready\ndata: {}\n\n";
}

/// An event and not a comment, which no page is shown: one that hears nothing for long knows that
/// the connection is gone, whatever its system says.
constexpr std::string_view alive = "event: alive\ndata: {}\n\n";

std::string message(Topics topics) {
  JsonWriter json;
  json.begin_object().member("topics", topics.names()).end_object();
  return "event: changed\ndata: " + json.take() + "\n\n";
}

Topics of_org(const Changed& changed, OrgId org) {
  const auto found = changed.find(org);
  return found == changed.end() ? Topics() : found->second;
}

}  // namespace

class Watchers::Stream final : public http::LiveSource {
 public:
  Stream(Watchers& watchers, Watch watch, Topics topics, std::uint64_t number, Instant now)
      : watchers_(watchers),
        watch_(std::move(watch)),
        ends_at_(now + lasting(number)),
        said_at_(now) {
    waiting_.with([&](Waiting& waiting) {
      waiting.text = greeting(number);
      waiting.topics = topics;
    });
  }
  ~Stream() override { watchers_.remove(*this); }

  std::optional<std::string> take() override {
    return waiting_.with([](Waiting& waiting) -> std::optional<std::string> {
      waiting.woken = false;
      std::string said = std::exchange(waiting.text, {});
      const Topics topics = std::exchange(waiting.topics, {});
      if (!topics.empty()) said += message(topics);
      if (said.empty() && waiting.over) return std::nullopt;
      return said;
    });
  }

  void wake_by(UniqueFunction<void()> wake) override {
    waiting_.with([&](Waiting& waiting) {
      waiting.wake = std::move(wake);
      waiting.woken = false;
    });
  }

  /// For tell(), under the lock of `watchers_`.
  void tell(const Changed& changed, Instant now) {
    const Topics topics = of_watch(watch_, changed);
    const bool over = now >= ends_at_ || !watch_.admitted(now);
    const bool says = !topics.empty() || std::chrono::abs(now - said_at_) >= keep_alive;
    if (!says && !over) return;
    said_at_ = now;
    waiting_.with([&](Waiting& waiting) {
      // Who may not watch any more is told nothing more.
      if (over) waiting = {{}, {}, true, waiting.woken, std::move(waiting.wake)};
      if (!over) waiting.topics = waiting.topics | topics;
      if (!over && topics.empty() && waiting.text.empty()) waiting.text = alive;
      // One call for all that comes until it is taken.
      if (waiting.wake && !std::exchange(waiting.woken, true)) waiting.wake();
    });
  }

  OperatorId operator_id() const { return watch_.operator_id; }

 private:
  struct Waiting {
    std::string text = {};  // of a greeting or a sign of life
    Topics topics = {};
    bool over = false;
    bool woken = false;
    UniqueFunction<void()> wake = {};
  };

  Watchers& watchers_;
  const Watch watch_;
  const Instant ends_at_;
  Instant said_at_;  // the teller's
  Guarded<Waiting> waiting_;
};

Watchers::~Watchers() {
  CHECK(streams_.empty());
}

Result<std::shared_ptr<http::LiveSource>> Watchers::add(Watch watch, Instant now) {
  std::shared_ptr<Stream> stream;  // goes after the lock, which its end takes
  const std::lock_guard lock(mutex_);
  const auto own = std::count_if(streams_.begin(), streams_.end(), [&](const Stream* other) {
    return other->operator_id() == watch.operator_id;
  });
  // Whoever comes too often comes back apart.
  const int later = 30 + static_cast<int>(++added_ % 30);
  if (static_cast<std::size_t>(own) >= watchers_per_operator) {
    return Error{Errc::rate_limited,
                 "You watch in " + std::to_string(own) + " places already; more are not told.",
                 {},
                 later};
  }
  if (streams_.size() >= watchers_max) {
    return Error{Errc::overloaded, "Too many watch on this server already.", {}, later};
  }
  Topics lately;
  for (const Changed& changed : recent_) lately = lately | of_watch(watch, changed);
  stream = std::make_shared<Stream>(*this, std::move(watch), lately, added_, now);
  streams_.push_back(stream.get());
  most_ = std::max(most_, streams_.size());
  return std::shared_ptr<http::LiveSource>(stream);
}

void Watchers::remove(const Stream& stream) {
  const std::lock_guard lock(mutex_);
  std::erase(streams_, &stream);
}

void Watchers::tell(const Changed& changed, Instant now) {
  const std::lock_guard lock(mutex_);
  for (Stream* stream : streams_) stream->tell(changed, now);
  recent_.push_back(changed);
  if (recent_.size() > remembered) recent_.pop_front();
}

Topics Watchers::of_watch(const Watch& watch, const Changed& changed) {
  if (watch.org) return of_org(changed, *watch.org) | of_org(changed, OrgId{0});
  Topics topics;
  for (const auto& [org, of_one] : changed) topics = topics | of_one;
  return topics;
}

std::size_t Watchers::count() const {
  const std::lock_guard lock(mutex_);
  return streams_.size();
}

std::size_t Watchers::most() const {
  const std::lock_guard lock(mutex_);
  return most_;
}

}  // namespace muster::fleet
