// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "feeds/json_members.h"
#include "model/image.h"

namespace muster::feeds {

/// Whether an object is a resource of Kubernetes, or a list of them.
bool is_custom_resource(const OpenObject& object);

/// What the resources of a report were.
struct ResourceKinds {
  bool known = false;  // some of them tells of an image
  std::string other;   // the kind of one that does not
};

/// Reads a resource that Trivy's operator writes (https://aquasecurity.github.io/trivy-operator/):
/// a VulnerabilityReport is one scan, an SbomReport one that lists packages; each also of a whole
/// cluster ("ClusterVulnerabilityReport"). A list has those of its items; other kinds hold nothing
/// about what an image has installed, and are only noted. Fails with invalid_json.
Result<void> read_custom_resource(const OpenObject& object, std::vector<model::ImageScan>& scans,
                                  ResourceKinds& kinds);

}  // namespace muster::feeds
