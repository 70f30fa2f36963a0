// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/image.h"

namespace muster::feeds {

/// Reads a report of the scanner Trivy (https://trivy.dev/latest/docs/configuration/reporting/):
/// schema 2, the bare list of results before it, a report on a Kubernetes cluster (`trivy k8s`,
/// whole or consolidated), what Trivy's operator writes into a cluster (custom_resource.h), and
/// `null`, which is a list without results. A schema 2 report or a list is one scan, also without
/// any result; a cluster has one for each image of a resource, and one for a resource whose flaws
/// are of no image.
///
/// What is in several layers, targets or paths is one vulnerability with several places. Results
/// of other classes (misconfigurations, secrets, licences) are passed over. Parts that are null or
/// absent are empty, and members of another type than Trivy's are taken as absent; an entry that
/// does not say which vulnerability of which package it is counts as skipped. There is no limit of
/// their number, for the bytes of a body have one; they are parsed one after another, so that what
/// is held beside `text` is what is kept of it.
///
/// Fails with invalid_json, and with invalid_field for JSON that is no such report: the message
/// says what it is instead, where that is known.
Result<std::vector<model::ImageScan>> read_trivy(std::string_view text);

}  // namespace muster::feeds
