// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vuln/cpe_index.h"
#include "vuln/match.h"

namespace muster::vuln {

/// match() for a package that its CPE identifies.
Verdict match_cpe(const CpeIndex& index, const model::Package& package);

/// settle() for a verdict of match_cpe() that has something conditional.
Verdict settle_cpe(const CpeIndex& index, const model::Package& package, Verdict verdict,
                   const Surroundings& surroundings);

}  // namespace muster::vuln
