// SPDX-License-Identifier: Apache-2.0
// The audit log: who did what to what, when, and the proof that no row was changed.
#include <istream>

#include "base/limits.h"
#include "base/text.h"
#include "main/ctl/files.h"
#include "main/ctl/grammar.h"
#include "model/audit_export.h"

namespace muster::ctl {

namespace {

const Columns listed = {
    {"at", "AT", &formats::time}, {"actor", "ACTOR", &formats::person},      {"action", "ACTION"},
    {"target", "TARGET"},         {"details", "DETAILS", &formats::members},
};

const Columns heads = {
    {"org_id", "ORG", &formats::number},
    {"seq", "ROWS", &formats::number},
    {"head", "HEAD", &formats::id},
};

constexpr Counted chains = {"chain", "chains"};
constexpr std::int64_t rows_between_progress = 5000;

Result<model::AuditHead> read_head(const std::string& text) {
  Result<model::AuditHead> head = model::parse_audit_head(text, OrgId{1});
  if (!head.ok()) return invalid_field("head", "must be SEQ:HASH or ORG:SEQ:HASH, not " + text);
  return head;
}

Result<void> check_head(const std::string& text) {
  TRY(read_head(text));
  return {};
}

/// Takes the page's own line off its end. The cursor of the next page; empty when there is none.
Result<std::string> take_page_line(std::string& page) {
  const auto broken = [] { return Error{Errc::unavailable, "the answer is no page of an export"}; };
  if (!page.ends_with('\n')) return broken();
  const auto before = page.rfind('\n', page.size() - 2);
  const std::size_t begins = before == std::string::npos ? 0 : before + 1;
  JsonDocument document;
  const Result<Json> line = document.parse(trim(std::string_view(page).substr(begins)));
  const auto cursor = line.ok() ? line->find("next_cursor") : std::nullopt;
  if (!cursor || (!cursor->is_null() && !cursor->string())) return broken();
  page.resize(begins);
  return std::string(cursor->string().value_or(""));
}

/// As they are, since they are what is proven later; a terminal gets them escaped.
void print_lines(const Shell& shell, std::string_view lines) {
  if (!shell.look().width) return shell.print(lines);
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    shell.print_json(lines.substr(0, end));
    lines.remove_prefix(end + 1);
  }
}

Result<void> export_log(const Shell& shell, Session& session, const FlagValues& values) {
  std::string target = "/api/v1/audit/export?limit=" + std::to_string(limits::page_size);
  std::string cursor;
  std::string org = values.text("org");
  if (values.has("after")) {
    const model::AuditHead head = TRY(read_head(values.text("after")));
    org = std::to_string(head.org.value);
    cursor = org + "." + std::to_string(head.seq);
  }
  if (!org.empty()) target.append("&org=").append(encode_component(org));
  for (std::size_t pages = 1;; ++pages) {
    const std::string former = cursor;
    std::string page =
        TRY(session.call(http::Method::get,
                         cursor.empty() ? target : target + "&cursor=" + encode_component(cursor)));
    cursor = TRY(take_page_line(page));
    print_lines(shell, page);
    if (cursor.empty()) break;
    if (cursor == former) return Error{Errc::unavailable, "the export does not advance"};
    shell.progress(std::to_string(pages) + " pages");
  }
  shell.progress("");
  print_lines(shell, model::encode_page_line("") + "\n");
  return {};
}

/// The first break, if there is one.
std::optional<model::AuditBreak> prove(const Shell& shell, std::istream& in,
                                       model::AuditCheck& check) {
  // A longer line is no line of ours, whatever it holds.
  std::string line(model::audit_line_bytes + 2, '\0');
  while (in.getline(line.data(), static_cast<std::streamsize>(line.size())) || in.gcount() > 0) {
    const auto ended = static_cast<std::size_t>(!in.eof() && !in.fail());
    const auto bytes = static_cast<std::size_t>(in.gcount()) - ended;
    if (auto found = check.take(std::string_view(line).substr(0, bytes))) return found;
    if (in.fail()) break;
    if (check.rows() % rows_between_progress == 0) {
      shell.progress(std::to_string(check.rows()) + " rows");
    }
  }
  return check.finish();
}

std::string heads_json(const model::AuditCheck& check) {
  JsonWriter json;
  json.begin_array();
  for (const model::AuditHead& head : check.heads()) {
    json.begin_object()
        .member("org_id", head.org)
        .member("seq", head.seq)
        .member("head", model::encode_audit_head(head))
        .end_object();
  }
  return json.end_array().take();
}

void print_verdict(const Shell& shell, const model::AuditCheck& check,
                   const std::optional<model::AuditBreak>& found) {
  JsonWriter json;
  json.begin_object().member("rows", check.rows()).key("heads").raw(heads_json(check));
  json.key("broken");
  if (found) {
    json.begin_object()
        .member("line", found->line)
        .member("org_id", found->org)
        .member("seq", found->seq)
        .member("what", found->what)
        .end_object();
  } else {
    json.null();
  }
  shell.print_json(json.end_object().take());
}

Result<void> verify(const Shell& shell, const FlagValues& values) {
  std::vector<model::AuditHead> noted;
  for (const std::string& text : values.texts("heads")) noted.push_back(TRY(read_head(text)));
  const std::string path = values.text("file");
  model::AuditCheck check(noted);
  std::optional<model::AuditBreak> found;
  TRY(with_input(shell, path, [&](std::istream& in) -> Result<void> {
    found = prove(shell, in, check);
    return {};
  }));
  shell.progress("");
  if (shell.json()) print_verdict(shell, check, found);
  if (found) {
    return Error{Errc::set_hash_mismatch,
                 "line " + std::to_string(found->line) + ": " + found->what};
  }
  if (shell.json()) return {};
  print_array(shell, heads_json(check), heads, chains);
  shell.remark(std::to_string(check.rows()) + " rows, every one as it was linked");
  if (noted.empty()) {
    shell.remark("Give --head with a head noted earlier: it shows that no chain was written anew");
  }
  return {};
}

}  // namespace

void add_audit(Grammar& grammar) {
  grammar.noun("audit", "What operators did")
      .list({"list", "List the audit log, newest first",
             "muster audit list --action keys.revoke --since 2026-03-01T00:00:00Z"},
            "/api/v1/audit",
            {{.name = "--actor",
              .member = "actor",
              .what = "Only what that operator did, by id, or that actor: key:ID, server",
              .shown = "ACTOR"},
             {.name = "--action",
              .member = "action",
              .what = "Only that action, as the list shows it",
              .shown = "ACTION"},
             {.name = "--target",
              .member = "target",
              .what = "Only what was done to that, as the list shows it",
              .shown = "TARGET"},
             since_flag("Only from that time on"),
             until_flag("Only before that time"),
             org_flag("Only of that organisation; 0 is the whole server")},
            listed, {"entry", "entries"})
      .list({"heads",
             "List the heads of the audit log's chains: note them where the server cannot "
             "write",
             "muster audit heads"},
            "/api/v1/audit/heads", {org_flag("Only of that organisation; 0 is the whole server")},
            heads, chains)
      .remote({"export", "Print the audit log as JSON lines, oldest first, for verify",
               "muster audit export > audit.ndjson"},
              {org_flag("Only of that organisation; 0 is the whole server"),
               {.name = "--after",
                .member = "after",
                .what = "Only what came after that head: [ORG:]SEQ:HASH",
                .check = check_head,
                .shown = "HEAD"}},
              export_log)
      .local({"verify",
              "Prove an export without a server. Exit code 1 when a row was altered, is missing or "
              "not in its place; it names the first",
              "muster audit verify audit.ndjson --head 1:17:HASH"},
             {{.name = "FILE",
               .member = "file",
               .what = "The export; - is standard input",
               .required = true},
              {.name = "--head",
               .member = "heads",
               .what = "Noted earlier, that the export must contain: [ORG:]SEQ:HASH",
               .kind = Flag::Kind::texts,
               .check = check_head,
               .shown = "HEAD"}},
             verify);
}

}  // namespace muster::ctl
