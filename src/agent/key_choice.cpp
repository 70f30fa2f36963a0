// SPDX-License-Identifier: Apache-2.0
#include "agent/key_choice.h"

#include <utility>

namespace muster::agent {

const std::string& key_to_use(const Identity& identity, const KeyChoice& choice) {
  const bool pending = !identity.pending_key.empty() && choice.prefer_pending;
  return pending ? identity.pending_key : identity.key;
}

bool key_replaced(const Identity& identity, const std::string& used) {
  return used != identity.key && used != identity.pending_key;
}

bool key_refused(const Identity& identity, KeyChoice& choice, const std::string& used) {
  if (identity.pending_key.empty()) return false;
  choice.prefer_pending = used != identity.pending_key;
  return true;
}

bool key_proved(Identity& identity, KeyChoice& choice, const std::string& used) {
  if (identity.pending_key.empty() || used != identity.pending_key) return false;
  identity.key = std::exchange(identity.pending_key, {});
  choice = {};
  return true;
}

bool key_offered(Identity& identity, KeyChoice& choice, const std::string& key) {
  if (key.empty() || key == identity.key) return false;
  choice.prefer_pending = true;
  if (key == identity.pending_key) return false;
  identity.pending_key = key;
  return true;
}

}  // namespace muster::agent
