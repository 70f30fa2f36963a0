// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "main/ctl/grammar.h"
#include "model/advisory.h"

namespace muster::ctl {

namespace {

const Columns listed = {
    {"id", "ID", &formats::id},
    {"hostname", "HOST"},
    {"cve", "CVE", &formats::id},
    {"severity", "SEVERITY", &formats::severity},
    {"package", "PACKAGE"},
    {"version", "INSTALLED"},
    {"fixed_version", "FIXED"},
    {"kev", "KEV", &formats::exploited},
    {"status", "STATUS", &formats::state},
    {"score", "SCORE", &formats::number},
    {"epss", "EPSS", &formats::share},
};

const Columns groups = {
    {"key", "WHAT"},
    {"severity", "SEVERITY", &formats::severity},
    {"kev", "KEV", &formats::exploited},
    {"hosts", "HOSTS", &formats::number},
    {"findings", "FINDINGS", &formats::number},
    {"packages", "PACKAGES", &formats::words},
};

const Columns decided = {
    {"status", "status", &formats::state},
    {"package", "package"},
    {"flaw", "flaw"},
    {"acceptance.scope", "scope"},
    {"acceptance.reason", "reason"},
    {"acceptance.accepted_by", "accepted by", &formats::person},
    {"acceptance.until", "until", &formats::time},
    {"findings", "findings"},
};

/// Without the acceptance, which is over.
const Columns reopened = {
    {"status", "status", &formats::state},
    {"package", "package"},
    {"flaw", "flaw"},
    {"findings", "findings"},
};

const Columns steps = {
    {"step", "STEP"},
    {"holds", "HOLDS", &formats::yes_no},
    {"text", "WHAT"},
};

std::string either(std::string_view text, std::string_view otherwise) {
  return std::string(text.empty() ? otherwise : text);
}

/// "CVE-2024-1 (also GHSA-x): openssl 3.0.11-1 on web-1"
std::string title_of(const Json& finding) {
  std::string title = either(text_at(finding, "cve"), text_at(finding, "advisory"));
  const std::string id = title;
  std::string others;
  const auto aliases = finding.find("aliases");
  if (aliases && aliases->is_array()) {
    aliases->for_each([&](const Json& alias) {
      const std::string_view name = alias.string().value_or("");
      // The CVE that a finding is called by is an alias of its advisory.
      if (!name.empty() && name != id) others.append(others.empty() ? "" : ", ").append(name);
    });
  }
  if (!others.empty()) title.append(" (also ").append(others).append(")");
  title.append(": ").append(text_at(finding, "package"));
  title.append(" ").append(text_at(finding, "version"));
  return title.append(" on ").append(text_at(finding, "hostname"));
}

/// What installed versions the advisory is about, in words.
std::string range_text(const Json& finding) {
  const std::string_view introduced = text_at(finding, "evidence.range.introduced");
  const std::string_view fixed = text_at(finding, "evidence.range.fixed");
  const std::string_view last = text_at(finding, "evidence.range.last_affected");
  const std::string_view after = text_at(finding, "evidence.range.after");
  const bool ranged = !introduced.empty() || !fixed.empty() || !last.empty() || !after.empty();
  if (!ranged && !text_at(finding, "evidence.criteria").empty()) return "what the criteria name";
  std::string text = introduced.empty() ? "every version" : "from " + std::string(introduced);
  if (!after.empty()) text = "after " + std::string(after);
  if (!fixed.empty()) return text.append(" before ").append(fixed);
  if (!last.empty()) return text.append(" up to and including ").append(last);
  return introduced.empty() ? text : text + " on";
}

std::string advisory_text(const Json& finding) {
  std::string text(text_at(finding, "evidence.advisory"));
  text.append(" of the feed ").append(text_at(finding, "evidence.feed"));
  text.append(", for ").append(text_at(finding, "evidence.package"));
  const std::string_view distro = text_at(finding, "evidence.distro");
  return distro.empty() ? text : text.append(" in ").append(distro);
}

Cell severity_of(const Json& finding) {
  Cell cell{std::string(text_at(finding, "severity"))};
  if (const auto value = finding.find("severity")) cell = formats::severity.cell(*value);
  const std::string_view urgency = text_at(finding, "urgency");
  if (!urgency.empty() && urgency != cell.text) {
    cell.text.append(" (the publisher says: ").append(urgency).append(")");
  }
  return cell;
}

Cell exploited_of(const Json& finding) {
  const auto known = finding.find("kev");
  if (!known || !known->boolean().value_or(false)) return {"not known to be exploited"};
  const std::string_view due = text_at(finding, "kev_due_date");
  return {due.empty() ? "yes, in the KEV catalogue"
                      : "yes, in the KEV catalogue: fix by " + std::string(due),
          Style::alarm};
}

std::string state_of(const Json& finding) {
  std::string text(text_at(finding, "status"));
  text.append(" since ").append(time_text(text_at(finding, "opened_at")));
  const std::string_view resolved = text_at(finding, "resolved_at");
  if (resolved.empty()) return text;
  text = "resolved " + time_text(resolved);
  return text.append(": ").append(text_at(finding, "resolution"));
}

/// "libwebp 1.2.4-0.1, of which libwebp7 is built"
std::string source_text(const Json& finding) {
  std::string text(text_at(finding, "evidence.package"));
  text.append(" ").append(text_at(finding, "evidence.installed"));
  const std::string_view package = text_at(finding, "package");
  if (package == text_at(finding, "evidence.package")) return text;
  return text.append(", of which ").append(package).append(" is built");
}

/// Who accepts it, why and until when.
std::string acceptance_text(const Json& finding) {
  std::string text("by ");
  const std::string_view name = text_at(finding, "acceptance.accepted_by_name");
  text.append(name.empty() ? text_at(finding, "acceptance.accepted_by") : name);
  const std::string_view until = text_at(finding, "acceptance.until");
  text.append(until.empty() ? std::string(", for good") : ", until " + time_text(until));
  return text.append(": ").append(text_at(finding, "acceptance.reason"));
}

/// The comparison made again, step by step.
void print_replay(const Shell& shell, const Json& finding) {
  const auto rows = find_path(finding, "explanation.steps");
  if (!rows || !rows->is_array()) return;
  shell.print("\n");
  ListPrinter printer(shell, steps, {"step", "steps"});
  rows->for_each([&](const Json& step) { printer.add(step); });
  printer.finish(false);
  const auto holds = find_path(finding, "explanation.holds");
  const bool still = holds && holds->boolean().value_or(false);
  shell.print(still ? "It still holds.\n"
                    : "It does not hold with what the feeds and the host say now.\n");
}

void print_stale_feeds(const Shell& shell, const Json& finding) {
  const auto feeds = finding.find("feeds");
  if (!feeds || !feeds->is_array()) return;
  feeds->for_each([&](const Json& feed) {
    const auto stale = feed.find("stale");
    if (!stale || !stale->boolean().value_or(false)) return;
    const std::string_view published = text_at(feed, "published");
    shell.remark("the feed " + std::string(text_at(feed, "feed")) + " is stale: " +
                 (published.empty() ? "" : "published " + time_text(published) + ", ") +
                 "imported " + time_text(text_at(feed, "imported_at")));
  });
}

/// Why there is a finding, for a person who doubts it (mission rule 14).
void print_explanation(const Shell& shell, const Json& finding) {
  shell.print(painted(escape_for_terminal(title_of(finding)), Style::heading, shell.look()) + "\n");
  const std::string_view summary = text_at(finding, "summary");
  if (!summary.empty()) shell.print(escaped_lines(summary));
  shell.print("\n");
  const std::string fixed(text_at(finding, "fixed_version"));
  std::vector<Fact> facts = {
      {"severity", severity_of(finding)},
      {"exploited", exploited_of(finding)},
      {"state", {state_of(finding)}},
      {"installed",
       {std::string(text_at(finding, "package")) + " " + std::string(text_at(finding, "version"))}},
      {"advisory", {advisory_text(finding)}},
      {"affected", {range_text(finding)}},
      {"scheme", {"versions are ordered as " + std::string(text_at(finding, "evidence.scheme"))}},
      {"therefore", {std::string(text_at(finding, "evidence.sentence"))}},
      {"fix", {fixed.empty() ? "none is known" : "update to " + fixed}},
  };
  // What is compared is the version of the source package, where that differs.
  if (const auto compared = text_at(finding, "evidence.installed");
      !compared.empty() && compared != text_at(finding, "version")) {
    facts.push_back({"compared", {source_text(finding)}});
  }
  if (const std::string_view criteria = text_at(finding, "evidence.criteria"); !criteria.empty()) {
    facts.push_back({"criteria", {std::string(criteria)}});
  }
  if (const auto caveats = find_path(finding, "evidence.caveats"); caveats && caveats->is_array()) {
    caveats->for_each([&](const Json& caveat) {
      facts.push_back({"but", {std::string(caveat.string().value_or(""))}});
    });
  }
  if (!text_at(finding, "acceptance.accepted_by").empty()) {
    facts.push_back({"accepted", {acceptance_text(finding)}});
  }
  shell.print_facts(facts);
  print_replay(shell, finding);
  print_stale_feeds(shell, finding);
}

std::vector<std::string> severities() {
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(model::Severity::critical); ++i) {
    names.emplace_back(model::severity_name(static_cast<model::Severity>(i)));
  }
  return names;
}

/// "3 findings of unknown severity not shown; --include-unknown"
std::string unknown_not_shown(const Json& page, const FlagValues& asked) {
  const auto value = find_path(page, "unknown_not_shown.value");
  const std::int64_t count = value ? value->integer().value_or(0) : 0;
  if (count == 0) return {};
  std::string text = text_at(page, "unknown_not_shown.relation") == "gte" ? "at least " : "";
  text += std::to_string(count);
  const bool of_severity = asked.has("min_severity");
  const bool of_epss = asked.has("min_epss");
  return text + (count == 1 ? " finding" : " findings") + " of unknown " +
         (of_severity || !of_epss ? "severity" : "") + (of_severity && of_epss ? " or " : "") +
         (of_epss ? "EPSS" : "") + " not shown; --include-unknown";
}

Flag unknown_flag() {
  return {"--include-unknown", "include_unknown",
          "With --min-severity, also those of unknown severity; with --min-epss, of unknown EPSS",
          Flag::Kind::on};
}

Result<void> check_probability(const std::string& text) {
  if (model::parse_epss_share(text)) return {};
  return Error{Errc::invalid_field, "must be a number from 0 to 1 such as 0.1"};
}

Flag epss_flag() {
  return {.name = "--min-epss",
          .member = "min_epss",
          .what = "Only of that EPSS and above, such as 0.1 for 10 %, and known exploited ones",
          .check = check_probability,
          .shown = "PROBABILITY"};
}

Flag severity_flag(std::string what) {
  return {.name = "--min-severity",
          .member = "min_severity",
          .what = std::move(what),
          .choices = severities(),
          .shown = "SEVERITY"};
}

}  // namespace

void add_findings(Grammar& grammar) {
  grammar.noun("findings", "What is vulnerable, and why")
      .list({"list", "List open findings, the most pressing first",
             "muster findings list --min-severity high"},
            "/api/v1/findings",
            {{.name = "--host",
              .member = "host",
              .what = "Only of that host, by id or hostname",
              .shown = "HOST"},
             {"--query", "query", "Only of hosts that match this query, such as group:web"},
             {.name = "--cve",
              .member = "cve",
              .what = "Only of that CVE",
              .check = check_cve,
              .shown = "CVE"},
             {"--package", "package", "Only of packages of that name"},
             {"--kev", "kev", "Only known exploited ones", Flag::Kind::on},
             severity_flag("Only of that severity and above, and known exploited ones of any"),
             epss_flag(),
             unknown_flag(),
             {"--accepted", "accepted", "Only those that operators accepted, instead of open ones",
              Flag::Kind::on},
             {"--all", "all", "Those that are open, accepted or resolved", Flag::Kind::on},
             org_flag("Only of that organisation")},
            listed, {"finding", "findings"}, unknown_not_shown)
      .list({"groups", "Say what to fix first: open findings by CVE, package or host",
             "muster findings groups --by package"},
            "/api/v1/finding-groups",
            {{.name = "--by",
              .member = "by",
              .what = "What makes a group (cve by default)",
              .choices = {"cve", "package", "host"}},
             {"--query", "query", "Only of hosts that match this query, such as group:web"},
             {"--kev", "kev", "Only known exploited ones", Flag::Kind::on},
             severity_flag("Only of that severity and above, and known exploited ones of any"),
             epss_flag(),
             unknown_flag(),
             org_flag("Only of that organisation")},
            groups, {"group", "groups"}, unknown_not_shown)
      .call({"explain", "Say why there is a finding, and make its comparison again",
             "muster findings explain 1234567890"},
            http::Method::get, "/api/v1/findings/{id}/explain", {id_flag("Id of the finding")},
            print_explanation)
      .call({"accept", "Accept a finding of a host or image, in every version of its package",
             "muster findings accept 1234567890 --reason 'no shell access' --for 30d"},
            http::Method::post, "/api/v1/findings/{id}/accept",
            {id_flag("Id of the finding"),
             {.name = "--reason", .member = "reason", .what = "Why", .required = true},
             {.name = "--scope",
              .member = "scope",
              .what = "Its host or image alone, or all of its organisation",
              .choices = {"host", "org"},
              .shown = "SCOPE"},
             {.name = "--until",
              .member = "until",
              .what = "Until when, 2026-03-21T14:30:00Z or 2026-03-21; for good by default",
              .shown = "DATE"},
             {.name = "--for",
              .member = "for_seconds",
              .what = "For how long, such as 12h or 30d",
              .kind = Flag::Kind::seconds,
              .shown = "TIME"}},
            facts_view(decided))
      .call({"reopen", "End the acceptance of a finding, for all findings that it covers",
             "muster findings reopen 1234567890"},
            http::Method::post, "/api/v1/findings/{id}/reopen", {id_flag("Id of the finding")},
            facts_view(reopened));
}

}  // namespace muster::ctl
