// SPDX-License-Identifier: Apache-2.0
#include "vuln/explain.h"

#include <algorithm>

#include "version/scheme.h"
#include "vuln/identify.h"
#include "vuln/origin.h"
#include "vuln/source_package.h"

namespace muster::vuln {

namespace {

using Step = Explanation::Step;

std::string text_of(const Json& object, std::string_view name) {
  const auto value = object.find(name);
  return value ? std::string(value->string().value_or("")) : std::string();
}

Step identity_step(const Index& index, const model::Package& package) {
  const Identity identity = identify(package, index.cpe());
  const std::string ecosystem(model::ecosystem_name(package.ecosystem));
  const bool foreign = origin_of(package) == Origin::third_party;
  if (identity.kind == Identity::Kind::distribution && !foreign) {
    const auto found = find_source_package(index, package, model::canonical_distro(package.distro));
    const SourcePackage* known = std::get_if<SourcePackage>(&found);
    const std::string source =
        known == nullptr ? "a source that is not known" : "the source " + known->name;
    return {"identity", true,
            "a " + ecosystem + " of " + package.distro + ", built by it from " + source};
  }
  if (identity.kind == Identity::Kind::ecosystem) {
    return {"identity", true, "a package of the registry of " + ecosystem};
  }
  std::string text = foreign ? "a " + ecosystem + " that somebody else than " + package.distro +
                                   " built, known by its product"
                             : std::string("a program, known by its product");
  if (identity.cpe.empty()) return {"identity", foreign, text};
  text += " " + identity.cpe + " (" + std::string(cpe_source_name(identity.cpe_source)) + ")";
  return {"identity", true, text};
}

std::string range_text(const Evidence& evidence) {
  const model::VersionRange& range = evidence.range;
  std::string text;
  if (!range.introduced.empty()) text = "from " + range.introduced;
  if (!range.after.empty()) text = "after " + range.after;
  if (!range.fixed.empty()) text += (text.empty() ? "before " : " before ") + range.fixed;
  if (!range.last_affected.empty()) {
    text += (text.empty() ? "up to and including " : " up to and including ") + range.last_affected;
  }
  if (!text.empty()) return text;
  return evidence.criteria.empty() ? "every version" : "what " + evidence.criteria + " names";
}

Step range_step(const Evidence& stored, const std::optional<Evidence>& current) {
  if (!current) return {"range", false, "was " + range_text(stored)};
  if (current->range == stored.range && current->criteria == stored.criteria) {
    return {"range", true, range_text(*current)};
  }
  return {"range", true, range_text(*current) + "; it was " + range_text(stored)};
}

Step scheme_step(const Evidence& evidence) {
  if (evidence.installed == "-") return {"scheme", true, "there is no version to be ordered"};
  const auto scheme = version::parse_scheme(evidence.scheme);
  if (!scheme) return {"scheme", false, "there is no rule for " + evidence.scheme};
  const bool valid = version::validate(*scheme, evidence.installed).ok();
  return {"scheme", valid,
          "versions are ordered as " + evidence.scheme +
              (valid ? "" : ", and " + evidence.installed + " is none there")};
}

/// Each end of the range against the installed version, compared here and now.
Step versions_step(const Evidence& evidence) {
  const auto scheme = version::parse_scheme(evidence.scheme);
  Step step{"versions", scheme.has_value(), {}};
  if (!scheme) return step;
  const auto check = [&](const std::string& end, std::string_view sign, auto fits) {
    if (end.empty()) return;
    const auto order = version::compare(*scheme, evidence.installed, end);
    const bool holds = order.ok() && fits(*order);
    step.holds &= holds;
    if (!step.text.empty()) step.text += ", ";
    step.text += evidence.installed + " " + std::string(sign) + " " + end + (holds ? "" : ": no");
  };
  const model::VersionRange& range = evidence.range;
  check(range.introduced, ">=", [](auto order) { return order >= 0; });
  check(range.after, ">", [](auto order) { return order > 0; });
  check(range.fixed, "<", [](auto order) { return order < 0; });
  check(range.last_affected, "<=", [](auto order) { return order <= 0; });
  if (step.text.empty()) step.text = evidence.sentence;
  return step;
}

Step platform_step(const Evidence& evidence, Reason reason) {
  if (reason == Reason::platform_absent) {
    return {"platform", false, "the host is not what the advisory asks for"};
  }
  if (evidence.caveats.empty()) return {"platform", true, "nothing else is asked for"};
  std::string text;
  for (const std::string& caveat : evidence.caveats) {
    text += (text.empty() ? "but " : "; ") + caveat;
  }
  return {"platform", true, text};
}

}  // namespace

Explanation explain(const Index& index, const model::Package& package, const Evidence& stored,
                    const Surroundings& surroundings) {
  const Verdict verdict = settle(index, package, match(index, package), surroundings);
  const auto found =
      std::find_if(verdict.matches.begin(), verdict.matches.end(), [&](const Match& match) {
        return match.feed == stored.feed && match.id == stored.advisory_id;
      });
  Explanation explanation;
  explanation.holds = found != verdict.matches.end();
  explanation.reason = verdict.reason;
  if (explanation.holds) explanation.current = found->evidence;
  const Evidence& compared = explanation.current ? *explanation.current : stored;
  explanation.steps.push_back(identity_step(index, package));
  const std::string advisory = stored.advisory_id + " of the feed " + stored.feed + ", for " +
                               stored.package +
                               (stored.distro.empty() ? "" : " in " + stored.distro);
  explanation.steps.push_back({"advisory", explanation.holds,
                               explanation.holds
                                   ? advisory
                                   : advisory + ": it does not hold now (" +
                                         std::string(reason_text(verdict.reason)) + ")"});
  explanation.steps.push_back(range_step(stored, explanation.current));
  explanation.steps.push_back(scheme_step(compared));
  explanation.steps.push_back(versions_step(compared));
  explanation.steps.push_back(
      platform_step(compared, explanation.holds ? Reason::in_range : verdict.reason));
  return explanation;
}

Evidence decode_evidence(const Json& object) {
  Evidence evidence;
  evidence.feed = text_of(object, "feed");
  evidence.advisory_id = text_of(object, "advisory");
  evidence.package = text_of(object, "package");
  evidence.distro = text_of(object, "distro");
  evidence.scheme = text_of(object, "scheme");
  evidence.installed = text_of(object, "installed");
  evidence.sentence = text_of(object, "sentence");
  evidence.criteria = text_of(object, "criteria");
  if (const auto range = object.find("range"); range && range->is_object()) {
    evidence.range = {text_of(*range, "introduced"), text_of(*range, "fixed"),
                      text_of(*range, "last_affected"), text_of(*range, "after")};
  }
  if (const auto caveats = object.find("caveats"); caveats && caveats->is_array()) {
    caveats->for_each(
        [&](const Json& caveat) { evidence.caveats.emplace_back(caveat.string().value_or("")); });
  }
  return evidence;
}

}  // namespace muster::vuln
