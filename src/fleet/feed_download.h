// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "fleet/feed_sync.h"

namespace muster::fleet {

/// One sync under way: fetches for it, imports for it, and counts what it did.
class SyncRun {
 public:
  SyncRun(const FeedTarget& target, const SyncWorld& world, const Actor& actor,
          feeds::FeedKind kind)
      : target_(target), world_(world), actor_(actor) {
    outcome_.kind = progress_.kind = kind;
  }

  struct Got {
    bool unchanged = false;
    http::Validators validators;
    std::string content;
  };
  /// One file, asked for again when its server asks for patience that is left
  /// (limits::egress_retries, egress_wait). Fails as http::Fetch.
  Result<Got> get(http::FetchOrder order);

  /// Stores what `next` gives, and adds it to the outcome.
  Result<void> store(ImportMode mode, const NextFile& next);
  Result<void> store(ImportMode mode, std::string content);

  /// Waits. False when the sync is to end.
  bool pause(Duration time) { return given_up_ = given_up_ || !world_.pause(time), !given_up_; }
  /// Tells of the file that is worked on now.
  void begin_file(const std::string& name);
  void end_file();
  /// Fails with unavailable once the sync is to end.
  Result<void> check_goes_on();
  bool given_up() const { return given_up_; }
  /// The oldest date that what was stored bears.
  std::optional<Instant> oldest_published() const { return oldest_published_; }

  Instant now() const { return world_.now(); }
  feeds::FeedKind kind() const { return outcome_.kind; }
  std::string_view feed() const { return feeds::feed_name(outcome_.kind); }
  store::Store& database() { return target_.store; }
  SyncOutcome& outcome() { return outcome_; }

 private:
  const FeedTarget& target_;
  const SyncWorld& world_;
  const Actor& actor_;
  SyncOutcome outcome_;
  SyncProgress progress_;
  std::optional<Instant> oldest_published_;
  bool given_up_ = false;
};

}  // namespace muster::fleet
