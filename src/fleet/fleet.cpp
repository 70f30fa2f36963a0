// SPDX-License-Identifier: Apache-2.0
#include "fleet/fleet.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <unistd.h>

#include "base/limits.h"
#include "fleet/operators.h"
#include "store/sql/keys.h"
#include "store/sql/orgs.h"

namespace muster::fleet {

namespace {

void write_secret_file(const std::string& path, const std::string& content) {
  const int descriptor =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) throw std::runtime_error(path + ": " + std::strerror(errno));
  const auto written = ::write(descriptor, content.data(), content.size());
  const bool whole = written == static_cast<ssize_t>(content.size()) && ::fsync(descriptor) == 0;
  ::close(descriptor);
  if (!whole) throw std::runtime_error(path + ": cannot be written");
}

}  // namespace

Fleet::Fleet(std::unique_ptr<store::Database> database, const std::string& secret_file, Rng& rng,
             Instant server_started, NodeTime node_time, const std::filesystem::path& index_file)
    : store(std::move(database)),
      secrets(load_or_create_secrets(store, load_or_create_secret_file(secret_file, rng), rng)),
      keyed_hash(secrets.hash_key),
      signing_key(secrets.signing_seed),
      ids(rng),
      credentials(keyed_hash),
      presence(server_started),
      catalogue(index_file),
      packages(keyed_hash),
      nodes(store, ids, catalogue,
            {credentials, presence, directory, settings, marks, scripts, packages},
            std::move(node_time)) {
  store.read([&](store::Reader& reader) {
    nodes.load(reader);
    credentials.load(reader, server_started);
    presence.load(reader);
    directory.load(reader);
    settings.load(reader);
    marks.load(reader);
    key_uses.load(reader);
    scripts.load(reader);
    catalogue.load(reader);
    packages.load(reader);
  });
}

bool create_bootstrap_token(Fleet& fleet, Rng& rng, const std::string& path, Instant now) {
  const bool issued = fleet.store.read(
      [](store::Reader& reader) { return !store::list_operator_tokens(reader).empty(); });
  if (issued) return false;
  // The file is written inside the transaction: whenever the token is stored, the file is there. A
  // crash in between leaves a file with a token that never was, and the next start replaces it.
  return fleet.store.write([&](store::Tx& tx) {
    // Of several servers that start on a new database, one issues it.
    if (!store::list_operator_tokens(tx).empty()) return false;
    const CreatedOperator created =
        create_operator(tx, fleet.ids, rng, fleet.credentials, Actor::server(),
                        {"bootstrap", http::Role::owner, limits::admin_token_ttl}, now);
    store::date_default_org(tx, now);
    write_secret_file(path, created.token + "\n");
    return true;
  });
}

}  // namespace muster::fleet
