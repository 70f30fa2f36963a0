// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "main/ctl/grammar.h"

namespace muster::ctl {

/// What `feeds sync` takes.
std::vector<Flag> feed_sync_flags();
/// Asks the server to sync, and unless --no-wait was given waits for it and shows how far it is.
Result<void> sync_feeds(const Shell& shell, Session& session, const FlagValues& values);
/// Syncs the data directory of --data. Throws std::runtime_error when a feed could not be synced,
/// after all were tried.
Result<void> sync_feeds_here(const Shell& shell, const FlagValues& values);

std::vector<std::string> feed_kinds();

}  // namespace muster::ctl
