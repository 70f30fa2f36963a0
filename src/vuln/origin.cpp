// SPDX-License-Identifier: Apache-2.0
#include "vuln/origin.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace muster::vuln {

namespace {

using model::Ecosystem;

constexpr std::string_view builders[] = {
#define BUILDER(text) text,
#define MARK(ecosystem, text)
#define OWN(distribution, text)
#include "vuln/origins.def"
#undef BUILDER
#undef MARK
#undef OWN
};

struct Mark {
  Ecosystem ecosystem;
  std::string_view text;
};
constexpr Mark marks[] = {
#define BUILDER(text)
#define MARK(ecosystem, text) {Ecosystem::ecosystem, text},
#define OWN(distribution, text)
#include "vuln/origins.def"
#undef BUILDER
#undef MARK
#undef OWN
};

struct Own {
  std::string_view distribution;
  std::string_view text;
};
constexpr Own owns[] = {
#define BUILDER(text)
#define MARK(ecosystem, text)
#define OWN(distribution, text) {distribution, text},
#include "vuln/origins.def"
#undef BUILDER
#undef MARK
#undef OWN
};

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// What reporters write that do not know.
bool says_nothing(std::string_view vendor) {
  static constexpr std::string_view words[] = {"", "(none)", "none", "n/a", "-", "unknown", "rpm"};
  return std::find(std::begin(words), std::end(words), vendor) != std::end(words);
}

/// Of a distribution whose vendors are not listed, any vendor may be its own.
bool is_foreign_rpm(std::string_view distro, std::string_view vendor) {
  if (says_nothing(vendor)) return false;
  const std::string_view distribution = distro.substr(0, distro.find(':'));
  bool listed = false;
  for (const Own& own : owns) {
    if (own.distribution != distribution) continue;
    listed = true;
    if (has(vendor, own.text)) return false;
  }
  return listed;
}

}  // namespace

std::string_view origin_name(Origin origin) {
  static constexpr std::string_view names[] = {"", "distribution", "third_party"};
  return names[static_cast<std::size_t>(origin)];
}

Origin origin_of(const model::Package& package) {
  if (!model::is_of_distribution(package.ecosystem)) return Origin::elsewhere;
  const std::string version = fold_case(package.version);  // "15.5-1PGDG.rhel9"
  for (const Mark& mark : marks) {
    if (mark.ecosystem == package.ecosystem && has(version, mark.text)) {
      return Origin::third_party;
    }
  }
  const std::string vendor = fold_case(trim(package.vendor));
  if (package.ecosystem == Ecosystem::deb) {
    const bool known = std::any_of(std::begin(builders), std::end(builders),
                                   [&](std::string_view text) { return has(vendor, text); });
    return known ? Origin::third_party : Origin::distribution;
  }
  const bool foreign = package.ecosystem == Ecosystem::rpm &&
                       is_foreign_rpm(model::canonical_distro(package.distro), vendor);
  return foreign ? Origin::third_party : Origin::distribution;
}

std::string_view upstream_version(std::string_view version) {
  const auto colon = version.find(':');
  const bool epoch = colon != std::string_view::npos && colon > 0 &&
                     version.find_first_not_of("0123456789") == colon;
  if (epoch) version.remove_prefix(colon + 1);
  const auto hyphen = version.rfind('-');
  if (hyphen != std::string_view::npos && hyphen > 0) version = version.substr(0, hyphen);
  constexpr std::string_view really = "+really";  // what a version that had to grow stands for
  if (const auto at = version.find(really); at != std::string_view::npos) {
    version.remove_prefix(at + really.size());
  }
  // "+dfsg1" and "~rc1" are the packager's: a candidate is older than what it stands for, which
  // may hide what was fixed last and accuses nobody wrongly of more.
  return version.substr(0, version.find_first_of("+~"));
}

model::Package as_program(const model::Package& package) {
  model::Package program = package;
  program.ecosystem = Ecosystem::generic;
  program.version = upstream_version(package.version);
  program.distro.clear();
  program.source_name.clear();
  program.source_version.clear();
  return program;
}

}  // namespace muster::vuln
