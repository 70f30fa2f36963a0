// SPDX-License-Identifier: Apache-2.0
#include "feeds/debian/debian.h"

#include <optional>

#include "base/json_read.h"
#include "base/limits.h"
#include "base/text.h"
#include "feeds/plain.h"

namespace muster::feeds {

namespace {

using model::Advisory;
using model::Severity;

constexpr std::size_t summary_bytes = 500;
constexpr std::size_t urgency_bytes = 200;

std::string_view text_of(const Json& object, std::string_view name) {
  const auto member = object.find(name);
  return member ? member->string().value_or("") : std::string_view{};
}

std::string urgency_of(const Json& row) {
  std::string urgency(text_of(row, "urgency"));
  const auto nodsa = row.find("nodsa");
  if (!nodsa || nodsa->is_null()) return plain_line(urgency, urgency_bytes);
  urgency += urgency.empty() ? "no-dsa" : "; no-dsa";
  for (const std::string_view word : {text_of(row, "nodsa_reason"), text_of(row, "nodsa")}) {
    if (!word.empty()) urgency.append(": ").append(word);
  }
  return plain_line(urgency, urgency_bytes);
}

Severity severity_of(const Json& row) {
  // A trailing star marks an urgency that the tracker derived by itself.
  std::string_view urgency = text_of(row, "urgency");
  while (urgency.ends_with('*')) urgency.remove_suffix(1);
  if (urgency == "unimportant") return Severity::negligible;
  if (urgency == "low") return Severity::low;
  if (urgency == "medium") return Severity::medium;
  if (urgency == "high") return Severity::high;
  const auto nodsa = row.find("nodsa");
  return nodsa && !nodsa->is_null() ? Severity::low : Severity::unknown;
}

/// Sets status and range from a release row; otherwise says what is wrong with it.
std::optional<std::string> set_verdict(Advisory& advisory, const Json& row) {
  if (!row.is_object()) return "must be an object";
  const std::string_view status = text_of(row, "status");
  const std::string_view fixed = text_of(row, "fixed_version");
  if (fixed.size() > limits::version_bytes || !is_plain_text(fixed)) {
    return "fixed_version is no version";
  }
  if (status == "undetermined") {
    advisory.status = Advisory::Status::undetermined;
  } else if (status == "not-affected" || (status == "resolved" && fixed == "0")) {
    advisory.status = Advisory::Status::not_affected;
  } else if (status == "resolved" && fixed.empty()) {
    return "resolved, but fixed_version is missing";
  } else if (status == "resolved" || status == "open") {
    advisory.status = Advisory::Status::affected;
    advisory.ranges = {{"", std::string(status == "open" ? "" : fixed), ""}};
  } else if (status.empty()) {
    return "status is missing";
  } else {
    return "status \"" + plain_line(status, 40) + "\" is unknown";
  }
  return std::nullopt;
}

class TrackerReader {
 public:
  explicit TrackerReader(const std::function<void(Advisory&&)>& take) : take_(take) {}

  void read_package(std::string_view package, const Json& issues) {
    if (!is_name(package) || !issues.is_object()) {
      return summary_.skip(plain_line(package, 80),
                           "must be a source package with an object of issues");
    }
    issues.for_each_member([&](std::string_view id, const Json& issue) {
      const std::string path = std::string(package) + "." + plain_line(id, 80);
      const auto releases = issue.find("releases");
      if (!is_name(id) || !releases || !releases->is_object()) {
        return summary_.skip(path, "must be an id with an object of releases");
      }
      const std::string summary = plain_line(text_of(issue, "description"), summary_bytes);
      releases->for_each_member([&](std::string_view codename, const Json& row) {
        read_row(package, id, summary, codename, row);
      });
    });
  }

  FeedSummary finish() { return std::move(summary_); }

 private:
  static bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= limits::name_bytes && is_plain_text(text);
  }

  void read_row(std::string_view package, std::string_view id, const std::string& summary,
                std::string_view codename, const Json& row) {
    Advisory advisory;
    advisory.feed = "debian";
    advisory.id = id;
    advisory.ecosystem = model::Ecosystem::deb;
    advisory.package = package;
    const auto wrong = is_name(codename) ? set_verdict(advisory, row)
                                         : std::optional<std::string>("is no codename");
    if (wrong) {
      return summary_.skip(
          std::string(package) + "." + std::string(id) + ".releases." + plain_line(codename, 80),
          *wrong);
    }
    advisory.distro = model::canonical_distro("debian:" + std::string(codename));
    advisory.severity = severity_of(row);
    advisory.urgency = urgency_of(row);
    advisory.summary = summary;
    ++summary_.records;
    take_(std::move(advisory));
  }

  const std::function<void(Advisory&&)>& take_;
  FeedSummary summary_;
};

}  // namespace

Result<FeedSummary> parse_debian(std::string_view text,
                                 const std::function<void(Advisory&&)>& take) {
  JsonDocument document;
  const Json root = TRY(document.parse(text));
  if (!root.is_object()) {
    return Error{Errc::invalid_json, "The tracker's file must be an object of source packages."};
  }
  TrackerReader reader(take);
  root.for_each_member(
      [&](std::string_view package, const Json& issues) { reader.read_package(package, issues); });
  FeedSummary summary = reader.finish();
  if (summary.records == 0) {
    const std::string first = summary.remarks.empty() ? "it is empty" : summary.remarks.front();
    return invalid_field("debian", "no row could be read: " + first);
  }
  return summary;
}

}  // namespace muster::feeds
