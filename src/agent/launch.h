// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "agent/update_record.h"

namespace muster::agent {

/// What the installed program does when it is started: run itself, or one of the builds that
/// updates brought. The installed program is never replaced by an update, so whatever those builds
/// do, there is one left that works.
struct Launch {
  std::optional<Build> build;  // none: the installed program
  bool on_trial = false;
  bool changed = false;  // `record` is to be saved before anything is started
};

/// Chooses and counts. A build on trial that was started bounds::trial_starts times without proving
/// itself has failed; builds that are not newer than the installed program are given up, since a
/// package update overtook them. Without `trials` only what is proved is chosen.
Launch choose_build(UpdateRecord& record, std::string_view installed_version, bool trials);

/// `build` cannot be started (its file is gone, or is not what its digest says): choose again.
void give_up_build(UpdateRecord& record, const Build& build);

}  // namespace muster::agent
