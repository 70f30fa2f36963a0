// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string_view>

#include "feeds/feed.h"

namespace muster::feeds {

/// The daily scores of the Exploit Prediction Scoring System,
/// https://www.first.org/epss/data_stats: comma-separated lines `cve,epss,percentile` under a
/// comment with the model's version and the date of the scores, which older files do not have. A
/// line that is no score is skipped, counted and named. Fails with invalid_field when there is no
/// heading or no line could be read.
Result<FeedSummary> parse_epss(std::string_view text,
                               const std::function<void(model::EpssScore&&)>& take);

}  // namespace muster::feeds
