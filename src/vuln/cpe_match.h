// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vuln/cpe_index.h"
#include "vuln/surroundings.h"

namespace muster::vuln {

/// Kleene's three values: what nothing says is neither true nor false.
enum class Truth : std::uint8_t { no, unknown, yes };

/// Whether a criterion is about a product, and what weakens a yes.
struct CriterionOutcome {
  Truth truth = Truth::no;
  bool incomparable = false;  // a bound is no version under the product's scheme: then no
  std::vector<std::string> caveats;
};

/// Compares a criterion with a product (NISTIR 7696, and where inventories know less than names
/// say, what follows):
///
/// - Part, vendor and product must be the criterion's. A version must be in its range under the
///   product's scheme; without a range it must equal the criterion's, whose NA is no version that
///   software has. An update must be the criterion's unless that is ANY; NA is no update.
/// - Of edition, language, sw_edition, target_sw, target_hw and other, an ANY of the inventory is
///   "not known": compatible, with a caveat. target_sw must fit the package's kind: no WordPress
///   plugin is a Windows program. Where it depends on the host's system and that is not known, the
///   outcome is unknown.
/// - A platform (vulnerable: false) may have any version where the criterion says NA.
/// - A product without a version gives unknown wherever a version is asked for.
CriterionOutcome compare_criterion(const CpeIndex& index, const CpeIndex::Criterion& criterion,
                                   const Product& product, SystemFamily family);

/// Whether nothing but the version of a product decides about the plain criteria of its group: no
/// update, edition or target of it is known.
bool is_plain(const Product& product);
/// compare_criterion() for a plain criterion that holds for a plain product.
CriterionOutcome plain_outcome(const CpeIndex& index, const CpeIndex::Criterion& criterion);

/// Whether a configuration holds for a host that has `subject` under all these names, among the
/// surroundings. A hardware criterion holds for firmware that matches (no inventory lists hardware)
/// and is unknown for programs. `missing` gets the criteria that nothing was known about. `held` is
/// the number of a criterion that is known to hold for the subject: a node that asks for one of
/// thousands is not gone through again.
Truth evaluate_configuration(const CpeIndex& index, const CpeIndex::Configuration& configuration,
                             std::optional<std::uint32_t> held, const std::vector<Product>& subject,
                             const Surroundings& surroundings, std::vector<std::string>& missing);

}  // namespace muster::vuln
