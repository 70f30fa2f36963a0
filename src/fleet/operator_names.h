// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace muster::store {
class Store;
class Tx;
}  // namespace muster::store

namespace muster::fleet {

/// The names of operators, former ones among them, for who shows them beside ids. Asks the store
/// once for each that is asked for; lives for one answer, on one thread. Throws store::StoreError.
class OperatorNames {
 public:
  explicit OperatorNames(store::Store& store);
  /// In a transaction, to which it refers.
  explicit OperatorNames(store::Tx& tx);

  /// Nothing for one that is not known.
  std::optional<std::string> of(OperatorId id);
  /// Of who did something, as the audit log names it (Actor): nothing for what is no operator.
  std::optional<std::string> of_actor(std::string_view actor);

 private:
  std::function<std::optional<std::string>(OperatorId)> look_up_;
  std::map<OperatorId, std::optional<std::string>> known_;
};

}  // namespace muster::fleet
