// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/guarded.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/history.h"
#include "http/response.h"
#include "store/sql/blobs.h"

namespace muster::store {
class Reader;
class Store;
class Tx;
}  // namespace muster::store

namespace muster::fleet {

/// What inventory agents in the field replace themselves with, as root: only ever what an operator
/// uploaded, one for each platform. There is none at first.
using store::AgentScript;

/// "linux", "macos" and "windows", as those agents call them.
bool is_script_platform(std::string_view platform);

/// All scripts in memory, for polls. Follows the store on commit. Safe from several threads.
class AgentScripts {
 public:
  void load(store::Reader& reader);
  std::vector<AgentScript> list() const;
  /// The script of a platform if its version is later than `running`; nothing where versions cannot
  /// be compared.
  std::optional<AgentScript> find_newer(std::string_view platform, std::string_view running) const;

  void set(const AgentScript& script);
  void erase(const std::string& platform);

 private:
  Guarded<std::map<std::string, AgentScript>> scripts_;
};

/// Gives the stored blob of that digest (store_blob, owned by the server) to agents of its
/// platform; replaces the one before. Fails with invalid_field for a platform or version that is
/// none, and with not_found for a digest that is not stored or no script's (limits::script_bytes).
Result<AgentScript> upload_agent_script(store::Tx& tx, NumberIds& ids, AgentScripts& scripts,
                                        const Actor& actor, AgentScript script, Instant now);
/// From now on nobody is given one. Fails with not_found.
Result<AgentScript> delete_agent_script(store::Tx& tx, NumberIds& ids, AgentScripts& scripts,
                                        const Actor& actor, const std::string& platform,
                                        Instant now);

struct OpenedScript {
  AgentScript script;
  http::Stream content;
};
/// Fails with not_found.
Result<OpenedScript> open_agent_script(store::Store& store, std::string_view platform);

}  // namespace muster::fleet
