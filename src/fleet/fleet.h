// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "base/config.h"
#include "base/log.h"
#include "base/random.h"
#include "base/time.h"
#include "crypto/signing.h"
#include "fleet/agent_scripts.h"
#include "fleet/catalogue.h"
#include "fleet/credentials.h"
#include "fleet/host_directory.h"
#include "fleet/key_uses.h"
#include "fleet/known_packages.h"
#include "fleet/nodes.h"
#include "fleet/presence.h"
#include "fleet/releases.h"
#include "fleet/secrets.h"
#include "fleet/set_hashes.h"
#include "fleet/settings.h"
#include "fleet/task_board.h"
#include "store/store.h"

namespace muster::fleet {

/// Everything a server remembers, in the order it is built: the store and what is held in memory
/// of it. One process holds a data directory at a time; several share a remote database.
struct Fleet {
  /// Loads what `database` holds. Other servers may write it, if it is remote: see Nodes.
  /// `index_file` is Catalogue's. Throws store::StoreError, and std::runtime_error for a wrong
  /// secret file.
  Fleet(std::unique_ptr<store::Database> database, const std::string& secret_file, Rng& rng,
        Instant server_started, NodeTime node_time = {},
        const std::filesystem::path& index_file = {});

  store::Store store;
  ServerSecrets secrets;
  crypto::KeyedHash keyed_hash;
  crypto::SigningKey signing_key;
  NumberIds ids;
  Credentials credentials;
  PresenceTable presence;
  HostDirectory directory;
  Settings settings;
  ReportMarks marks;
  KeyUses key_uses;
  AgentScripts scripts;
  Catalogue catalogue;
  KnownPackages packages;
  ToldReleases told_releases;
  Nodes nodes;

  TaskBoard task_board(Rng& rng) {
    return {ids, rng, secrets.task_key, credentials, presence, settings};
  }
};

/// On the very first start: writes a new operator token to `path` (mode 0600). Returns whether it
/// did.
bool create_bootstrap_token(Fleet& fleet, Rng& rng, const std::string& path, Instant now);

}  // namespace muster::fleet
