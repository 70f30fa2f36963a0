// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/guarded.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "feeds/feed.h"
#include "fleet/history.h"
#include "model/advisory.h"
#include "model/package.h"
#include "store/sql/inventory.h"
#include "vuln/match.h"

namespace muster::store {
class Reader;
class Store;
class Tx;
}  // namespace muster::store

namespace muster::fleet {

/// An advisory that holds for a package, ready to become a finding.
struct Verdict {
  struct Hit {
    std::string feed;
    std::string advisory_id;
    std::optional<std::string> cve;
    model::Severity severity = model::Severity::unknown;
    std::string evidence;  // JSON object: aliases, fixed_version, urgency, summary, evidence
  };
  vuln::Reason reason = vuln::Reason::no_identity;
  bool of_distribution = false;  // built by the distribution that it is of
  bool identified = false;       // by distribution, ecosystem or CPE
  std::vector<Hit> hits;
  /// Rows of the index that hold or not depending on the host (vuln/match.h): settle() decides.
  std::vector<std::uint32_t> conditional;
};

/// What all imported feeds say together, at one moment. Immutable.
struct Knowledge {
  std::uint64_t number = 0;           // grows with each snapshot that is put in force
  std::vector<store::FeedRow> feeds;  // the imports that it holds
  std::shared_ptr<const vuln::Index> index;
  std::unordered_map<std::string, model::KevEntry> kev;  // by CVE
};

/// One number for imports that are in force together: another one for others, since no two have one
/// generation.
std::int64_t imports_mark(const std::vector<store::FeedRow>& feeds);

/// Whether a snapshot of `feeds` holds the same imports.
bool holds_imports(const Knowledge& knowledge, const std::vector<store::FeedRow>& feeds);

/// Pure: the verdict on a package under one snapshot.
Verdict assess(const Knowledge& knowledge, const model::Package& package);

/// Pure: the hits among what `verdict`, which is assess(knowledge, package), left open.
std::vector<Verdict::Hit> settle(const Knowledge& knowledge, const model::Package& package,
                                 const Verdict& verdict, const vuln::Surroundings& surroundings);

/// Where a data directory keeps the index between starts. May be deleted.
inline std::filesystem::path index_file_in(const std::filesystem::path& directory) {
  return directory / "advisories.index";
}

/// Holds the current snapshot; it is swapped whole. Safe from several threads.
class Catalogue {
 public:
  /// `index_file` is where the index is kept between starts (vuln/index_file.h); empty for nowhere.
  explicit Catalogue(std::filesystem::path index_file = {});
  /// Puts in force what is stored.
  void load(store::Reader& reader);
  std::shared_ptr<const Knowledge> current() const;

  /// What is stored, not yet in force. Takes over from `known` what no import changed since. Writes
  /// an index that it had to build to the index file; if that cannot be written, the next start
  /// takes longer.
  std::shared_ptr<Knowledge> read(store::Reader& reader, const Knowledge& known) const;
  /// Puts it in force, and gives it its number.
  void publish(std::shared_ptr<Knowledge> fresh);

  /// An import under way, for as long as this lives.
  class Import {
   public:
    explicit Import(Catalogue& catalogue) : running_(catalogue.imports_) { ++running_; }
    ~Import() { --running_; }
    Import(const Import&) = delete;
    Import& operator=(const Import&) = delete;

   private:
    std::atomic<int>& running_;
  };
  bool importing() const { return imports_ > 0; }
  /// All that this server stored follows what this holds.
  void note_followed(const Knowledge& knowledge) { followed_ = imports_mark(knowledge.feeds); }
  /// The mark of the imports of which that was last so.
  std::int64_t followed() const { return followed_; }
  /// The server ends: what is being matched stops after the batch under way, and nothing else
  /// begins. The next start finishes it (fleet/feed_import.h).
  void stop_matching() { stops_matching_ = true; }
  bool stops_matching() const { return stops_matching_; }
  /// Held while the records of a feed are stored.
  std::mutex& storing(feeds::FeedKind kind) { return storing_[static_cast<std::size_t>(kind)]; }

 private:
  std::shared_ptr<const vuln::Index> read_index(store::Reader& reader,
                                                const std::vector<store::FeedRow>& feeds) const;

  std::filesystem::path index_file_;
  std::array<std::mutex, std::size(feeds::feed_kinds)> storing_;
  std::atomic<int> imports_ = 0;
  std::atomic<std::int64_t> followed_ = 0;
  std::atomic<bool> stops_matching_ = false;
  Guarded<std::shared_ptr<const Knowledge>> current_;
};

struct ImportOutcome {
  std::string feed;
  std::string published;
  std::size_t records = 0;
  std::size_t skipped = 0;
  std::size_t superseded = 0;  // records of which a newer one came along
  std::vector<std::string> remarks;
  std::size_t hosts_matched = 0;
  std::size_t findings_opened = 0;
  std::size_t findings_resolved = 0;
};
/// The members of an import but `feed`, as operators are told them: POST /api/v1/feeds/:kind.
void write_import(JsonWriter& json, const ImportOutcome& outcome);

}  // namespace muster::fleet
