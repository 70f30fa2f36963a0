// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/json_read.h"
#include "base/result.h"
#include "model/image.h"

namespace muster::feeds {

/// Reads a report of the scanner Trivy (https://trivy.dev/latest/docs/configuration/reporting/):
/// schema 2, the bare list of results before it, a report on a Kubernetes cluster, and `null`,
/// which is a list without results. A schema 2 report or a list is one scan, also without any
/// result; a cluster has one for each image of a resource.
///
/// What is in several layers, targets or paths is one vulnerability with several places. Results
/// of other classes (misconfigurations, secrets, licences) are passed over. Parts that are null or
/// absent are empty, and members of another type than Trivy's are taken as absent; an entry that
/// does not say which vulnerability of which package it is counts as skipped. There is no limit of
/// their number, for the bytes of a body have one.
///
/// Fails with invalid_field for JSON that is no such report.
Result<std::vector<model::ImageScan>> read_trivy(const Json& report);

}  // namespace muster::feeds
