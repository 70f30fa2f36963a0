// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/advisory.h"
#include "model/package.h"
#include "vuln/index.h"
#include "vuln/surroundings.h"

namespace muster::vuln {

enum class State : std::uint8_t { vulnerable, not_vulnerable, not_assessed };
std::string_view state_name(State state);

/// Why a verdict is what it is; reasons.def is the list.
enum class Reason : std::uint8_t {
#define REASON(name, state, text) name,
#include "vuln/reasons.def"
#undef REASON
};
inline constexpr std::size_t reasons_max = 0
#define REASON(name, state, text) +1
#include "vuln/reasons.def"
#undef REASON
    ;
/// "distro_not_covered", ...
std::string_view reason_name(Reason reason);
/// The reason in words for an operator.
std::string_view reason_text(Reason reason);
State state_of(Reason reason);

/// What was compared with what: enough to check a finding by hand (mission rule 14).
struct Evidence {
  std::string feed;
  std::string advisory_id;
  std::string package;  // as the advisory names it: the source package in a distribution
  std::string distro;
  std::string scheme;
  std::string installed;      // the version compared: the source's in a distribution
  model::VersionRange range;  // the first of the advisory's ranges that holds it
  std::string sentence;       // "1.1.1n-0+deb11u3 < 1.1.1n-0+deb11u5 (deb)"
  std::string criteria = {};  // the CPE name that matched; empty for other advisories
  /// What makes the finding less than certain, in words: an edition that is not known, a platform.
  std::vector<std::string> caveats = {};
  friend bool operator==(const Evidence&, const Evidence&) = default;
};

/// One advisory that holds for a package.
struct Match {
  std::string feed;
  std::string id;
  std::vector<std::string> aliases;
  std::optional<std::string> cve;
  model::Severity severity = model::Severity::unknown;
  std::optional<std::uint8_t> score_tenths;
  bool disputed = false;
  std::string urgency;
  std::string summary;
  Evidence evidence;
  friend bool operator==(const Match&, const Match&) = default;
};

struct Verdict {
  State state = State::not_assessed;
  Reason reason = Reason::no_identity;
  std::vector<Match> matches;      // by advisory id; not empty exactly when vulnerable
  std::uint32_t undetermined = 0;  // advisories about the package that decide nothing
  std::uint32_t incomparable = 0;  // advisories about it whose ranges no scheme can read
  /// Rows of the CPE index, ascending, that hold or do not depending on the host: settle() decides.
  std::vector<std::uint32_t> conditional;
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

/// Assesses one package. A package of a distribution is compared by its SOURCE package and version,
/// under its ecosystem's scheme, with the advisories of its own release only: what a distribution
/// says beats anything else (backports), so it is never compared by CPE; a package of translations
/// or documentation alone has none of its source's issues. One that somebody else built for the
/// distribution (origin.h) is compared by CPE, if its product is known. A package of a language's
/// registry is compared by its name there; what several databases say of one flaw is one match.
/// Software that a CPE
/// identifies is compared with the criteria about that product (cpe_match.h). No finding without a
/// parsed version in a named range; an advisory that is undetermined finds nothing, and one that
/// says not_affected silences the same id from other feeds. Pure: the answer depends on `index` and
/// `package` alone, and not on the order in which the index's advisories came.
///
/// So a verdict can be kept per distinct package. One advisory in seven names a product together
/// with a system or other software ("on Windows", "with OpenSSL 1.1.1"), which is the host's and
/// not the package's; such an advisory that would otherwise hold is left in `conditional`.
Verdict match(const Index& index, const model::Package& package);

/// Decides what match() left open, for one host: `verdict` is match(index, package), unchanged if
/// nothing is conditional. What the surroundings do not know (the system, hardware) is reported
/// with a caveat; what they deny is not.
Verdict settle(const Index& index, const model::Package& package, Verdict verdict,
               const Surroundings& surroundings);

/// The evidence as one JSON object: the stored form in a finding.
std::string encode_evidence(const Evidence& evidence);

}  // namespace muster::vuln
