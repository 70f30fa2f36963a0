// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "agent/identity.h"

namespace muster::agent {

/// Which of the identity's keys calls use while the server rotates: the offered one first, the
/// other whenever one is refused, until one works. Two calls may be on their way, so an answer is
/// judged by the key that its own call used. The server's side is model/agent_keys.h; the test of
/// the two together walks all their states.
struct KeyChoice {
  bool prefer_pending = true;
};

/// The key for the next call.
const std::string& key_to_use(const Identity& identity, const KeyChoice& choice);

/// A call that used `used` was refused, but that is no key of the identity any more: the next call
/// has another one anyway.
bool key_replaced(const Identity& identity, const std::string& used);

/// A call's key was refused: the next one tries the other. False when there is no other.
bool key_refused(const Identity& identity, KeyChoice& choice, const std::string& used);

/// A call's key was accepted. True when that made the offered key the only one: the identity is to
/// be saved.
bool key_proved(Identity& identity, KeyChoice& choice, const std::string& used);

/// The server offers `key` (empty: none). True when it is new: the identity is to be saved before
/// the next call.
bool key_offered(Identity& identity, KeyChoice& choice, const std::string& key);

}  // namespace muster::agent
