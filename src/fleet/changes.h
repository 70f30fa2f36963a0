// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/guarded.h"
#include "base/ids.h"

namespace muster::store {
class Tx;
}

/// What changed lately, for those who watch (docs/adr/0024): topics of an organisation, never what
/// or how. It may say too much, and says too little only where a server is cut off from the others.
namespace muster::fleet {

enum class Topic : std::uint8_t {
#define TOPIC(name) name,
#include "fleet/topics.def"
#undef TOPIC
};

/// A set of topics.
class Topics {
 public:
  constexpr Topics() = default;
  constexpr Topics(Topic topic) : bits_(1U << static_cast<unsigned>(topic)) {}  // NOLINT: implicit

  static constexpr Topics all() { return Topics((1U << count) - 1); }
  /// What this server knows of `bits`, which a newer one may have sent.
  static constexpr Topics of_bits(std::uint32_t bits) { return Topics(bits & all().bits_); }

  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool has(Topic topic) const { return (bits_ & Topics(topic).bits_) != 0; }
  constexpr std::uint32_t bits() const { return bits_; }
  friend constexpr Topics operator|(Topics a, Topics b) { return Topics(a.bits_ | b.bits_); }
  friend constexpr bool operator==(Topics, Topics) = default;

  /// In the order of topics.def.
  std::vector<std::string_view> names() const;

 private:
  static constexpr unsigned count = 0
#define TOPIC(name) +1
#include "fleet/topics.def"
#undef TOPIC
      ;
  constexpr explicit Topics(std::uint32_t bits) : bits_(bits) {}
  std::uint32_t bits_ = 0;
};
constexpr Topics operator|(Topic a, Topic b) {
  return Topics(a) | Topics(b);
}

/// By organisation; 0 stands for all of them.
using Changed = std::map<OrgId, Topics>;

class Changes;
/// Marks it once the transaction is durable (Changes::mark); drops it if the work is undone.
void mark_on_commit(store::Tx& tx, Changes& changes, OrgId org, Topics topics);

/// Collects what changed until somebody takes it: however often, a bit of each organisation. Safe
/// from several threads.
class Changes {
 public:
  /// It changed, and is durable, by this server's doing. The other servers on the database are
  /// told.
  void mark(OrgId org, Topics topics);
  /// It changed, and whoever ought to know finds out by itself.
  void note(OrgId org, Topics topics);

  /// What was marked, noted and heard since the last call.
  Changed take();

  /// What was marked since the last call, for the other servers: at most `shared_bytes`; empty when
  /// nothing was.
  std::string take_for_others();
  /// What take_for_others() gave on another server. What cannot be read, and the empty text, means
  /// that anything may have changed.
  void hear(std::string_view told);

  /// What PostgreSQL carries in a NOTIFY is below 8,000 octets.
  static constexpr std::size_t shared_bytes = 7'000;

 private:
  struct Collected {
    Changed here;
    Changed for_others;
  };
  Guarded<Collected> collected_;
};

}  // namespace muster::fleet
