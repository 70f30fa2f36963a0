// SPDX-License-Identifier: Apache-2.0
#include "agent/launch.h"

#include "agent/bounds.h"
#include "model/release.h"

namespace muster::agent {

namespace {

bool is_newer(const Build& build, std::string_view installed) {
  return model::compare_agent_versions(build.version, installed) > 0;
}

}  // namespace

Launch choose_build(UpdateRecord& record, std::string_view installed_version, bool trials) {
  Launch launch;
  if (record.current && !is_newer(*record.current, installed_version)) {
    record.current.reset();
    launch.changed = true;
  }
  for (auto* trial : {&record.trial, &record.suspect}) {
    if (!*trial || is_newer((*trial)->build, installed_version)) continue;
    trial->reset();
    launch.changed = true;
  }
  if (record.trial && record.trial->starts >= bounds::trial_starts) {
    record.fail(record.trial->build, "it was started " + std::to_string(bounds::trial_starts) +
                                         " times and did not prove that it works");
    record.trial.reset();
    launch.changed = true;
  }
  if (record.trial && trials) {
    ++record.trial->starts;
    launch.build = record.trial->build;
    launch.on_trial = launch.changed = true;
  } else {
    launch.build = record.current;
  }
  return launch;
}

void give_up_build(UpdateRecord& record, const Build& build) {
  if (record.trial && record.trial->build == build) {
    record.fail(build, "its file cannot be started, or is not what was signed");
    record.trial.reset();
  }
  if (record.current && record.current == build) record.current.reset();
}

}  // namespace muster::agent
