// SPDX-License-Identifier: Apache-2.0
#include "model/audit_export.h"

#include <algorithm>

#include "base/json_read.h"
#include "base/json_write.h"

namespace muster::model {

namespace {

constexpr std::string_view head_begins = "{\"head\": \"";
constexpr std::string_view page_begins = "{\"next_cursor\": ";
constexpr std::string_view text_ends = "\"}";
constexpr std::string_view hash_begins = ", \"hash\": \"";
constexpr std::size_t row_members = 9;

/// To the millisecond, since that is what the hash is over.
std::string time_text(Instant at) {
  constexpr std::int64_t second_ms = 1000;
  const auto ms = static_cast<int>(((at.unix_ms % second_ms) + second_ms) % second_ms);
  std::string text = format_rfc3339(at);
  text.pop_back();
  const std::string digits = std::to_string(ms);
  return text.append(".").append(3 - digits.size(), '0').append(digits).append("Z");
}

/// A row's line as far as its details.
std::string begin_line(const AuditRow& row, std::int64_t seq) {
  JsonWriter json;
  json.begin_object()
      .member("org_id", row.org)
      .member("seq", seq)
      .member("id", row.id)
      .member("at", time_text(row.at))
      .member("actor", row.actor)
      .member("action", row.action)
      .member("target", row.target)
      .key("details");
  return json.take();
}

std::string end_line(const crypto::Sha256& hash) {
  return std::string(hash_begins).append(hash.text()).append(text_ends);
}

Error no_line() {
  return invalid_field("line", "is not as a server writes it");
}

/// Of a page that is not the last. Cursors are digits and points.
bool is_page_line(std::string_view line) {
  const std::size_t begins = page_begins.size() + 1;
  if (line.size() < begins + text_ends.size()) return false;
  const std::string_view cursor = line.substr(begins, line.size() - begins - text_ends.size());
  return cursor.find_first_not_of("0123456789.") == std::string_view::npos && !cursor.empty() &&
         line == encode_page_line(cursor);
}

std::string describe(const AuditRow& row) {
  return "(id " + std::to_string(row.id.value) + ", " + row.action + " " + row.target + " by " +
         row.actor + " at " + format_rfc3339(row.at) + ")";
}

std::string place(OrgId org, std::int64_t seq) {
  return "row " + std::to_string(seq) + " of organisation " + std::to_string(org.value);
}

/// "row 7 of …" or "rows 7 to 9 of …".
std::string places(OrgId org, std::int64_t first, std::int64_t last) {
  if (first == last) return place(org, first);
  return "rows " + std::to_string(first) + " to " + std::to_string(last) + " of organisation " +
         std::to_string(org.value);
}

const char* missing(std::int64_t first, std::int64_t last) {
  return first == last ? " is missing" : " are missing";
}

}  // namespace

std::string encode_audit_line(const LinkedAuditRow& linked) {
  return begin_line(linked.row, linked.seq)
      .append(linked.row.details)
      .append(end_line(linked.hash));
}

std::string encode_head_line(const AuditHead& head) {
  return std::string(head_begins).append(encode_audit_head(head)).append(text_ends);
}

std::string encode_page_line(std::string_view next_cursor) {
  if (next_cursor.empty()) return std::string(page_begins).append("null}");
  return std::string(page_begins).append("\"").append(next_cursor).append(text_ends);
}

Result<LinkedAuditRow> parse_audit_line(std::string_view line) {
  if (line.size() > audit_line_bytes) return no_line();
  const Result<Json> json = thread_json().parse(line);
  if (!json.ok() || !json->is_object() || json->size() != row_members) return no_line();
  const auto number = [&](std::string_view name) {
    const auto found = json->find(name);
    return found ? found->integer() : std::nullopt;
  };
  const auto text = [&](std::string_view name) {
    const auto found = json->find(name);
    return std::string(found ? found->string().value_or("") : "");
  };
  const auto org = number("org_id");
  const auto seq = number("seq");
  const auto id = number("id");
  const Result<Instant> at = parse_rfc3339(text("at"));
  const auto hash = crypto::parse_sha256(text("hash"));
  const auto details = json->find("details");
  if (!org || !seq || !id || !at.ok() || !hash || !details || !details->is_object()) {
    return no_line();
  }
  LinkedAuditRow linked{
      {{*org}, {*id}, *at, text("actor"), text("action"), text("target"), {}}, *seq, *hash};
  // The details are what stands between all that is known: hashed as they are, never written anew.
  const std::string begin = begin_line(linked.row, linked.seq);
  const std::string end = end_line(linked.hash);
  if (line.size() < begin.size() + end.size() || !line.starts_with(begin) || !line.ends_with(end)) {
    return no_line();
  }
  linked.row.details = line.substr(begin.size(), line.size() - begin.size() - end.size());
  return linked;
}

AuditCheck::AuditCheck(const std::vector<AuditHead>& noted) {
  for (const AuditHead& head : noted) noted_.push_back({head});
}

AuditBreak AuditCheck::broken(std::int64_t seq, std::string what) const {
  return {line_, latest_, seq, std::move(what)};
}

std::optional<AuditBreak> AuditCheck::take(std::string_view line) {
  ++line_;
  if (ended_) return broken(0, "something stands behind the end of the export");
  if (line.starts_with(page_begins)) {
    ended_ = line == encode_page_line("");
    if (!ended_ && !is_page_line(line))
      return broken(0, "a page's end is not as a server writes it");
    if (!ended_ || !head_) return std::nullopt;
    return broken(head_->seq + 1, "the chain of organisation " + std::to_string(latest_.value) +
                                      " has no head: its end was cut off");
  }
  if (!line.starts_with(head_begins)) return take_row(line);
  if (line.size() < head_begins.size() + text_ends.size() || !line.ends_with(text_ends)) {
    return broken(0, "a head is not as a server writes it");
  }
  line.remove_prefix(head_begins.size());
  line.remove_suffix(text_ends.size());
  return take_head(line);
}

std::optional<AuditBreak> AuditCheck::begin_chain(OrgId org, std::int64_t seq) {
  if (head_) {
    return broken(head_->seq + 1, "the chain of organisation " + std::to_string(latest_.value) +
                                      " has no head: its end was cut off");
  }
  if (org <= latest_) {
    latest_ = org;
    return broken(seq, place(org, seq) + " stands behind the end of its chain");
  }
  latest_ = org;
  head_ = first_audit_head(org);
  for (Noted& noted : noted_) {
    if (noted.head.org != org || noted.head.seq != seq - 1) continue;
    if (head_->seq != 0 && *head_ != noted.head) {
      return broken(seq - 1,
                    "two noted heads of " + place(org, seq - 1) + " contradict each other");
    }
    noted.met = true;
    head_ = noted.head;
  }
  return std::nullopt;
}

std::optional<AuditBreak> AuditCheck::take_row(std::string_view line) {
  const Result<LinkedAuditRow> linked = parse_audit_line(line);
  if (!linked.ok()) {
    const std::int64_t expected = head_ ? head_->seq + 1 : 0;
    return broken(expected, (head_ ? place(latest_, expected) : std::string("a row")) +
                                " was altered: its line is not as a server writes it");
  }
  const AuditRow& row = linked->row;
  if (!head_ || row.org != head_->org) {
    if (auto found = begin_chain(row.org, linked->seq)) return found;
  }
  const std::int64_t expected = head_->seq + 1;
  if (linked->seq > expected) {
    return broken(expected, places(row.org, expected, linked->seq - 1) +
                                missing(expected, linked->seq - 1) + " before " +
                                place(row.org, linked->seq) + " " + describe(row));
  }
  if (linked->seq < expected) {
    return broken(linked->seq, place(row.org, linked->seq) + " " + describe(row) +
                                   " stands where row " + std::to_string(expected) + " belongs");
  }
  const AuditHead next = advance(*head_, row);
  if (next.hash != linked->hash) {
    return broken(expected, place(row.org, expected) + " " + describe(row) +
                                " was altered: its hash is another, or it follows another row");
  }
  for (Noted& noted : noted_) {
    if (noted.head.org != next.org || noted.head.seq != next.seq) continue;
    noted.met = true;
    if (noted.head.hash == next.hash) continue;
    return broken(expected, place(row.org, expected) + " " + describe(row) +
                                " is not the row that the noted head is of: the chain was "
                                "written anew");
  }
  head_ = next;
  ++rows_;
  return std::nullopt;
}

std::optional<AuditBreak> AuditCheck::take_head(std::string_view text) {
  const Result<AuditHead> head = parse_audit_head(text, OrgId{0});
  if (!head.ok() || encode_audit_head(*head) != text) {
    return broken(0, "a head is not as a server writes it");
  }
  // A chain without rows in the export: all of them were exported before.
  if (!head_ || head_->org != head->org) {
    if (auto found = begin_chain(head->org, head->seq + 1)) return found;
  }
  const std::int64_t reached = head_->seq;
  if (head->seq > reached) {
    return broken(reached + 1, places(latest_, reached + 1, head->seq) +
                                   missing(reached + 1, head->seq) + ": the head of the chain is " +
                                   std::to_string(head->seq));
  }
  if (*head != *head_) {
    return broken(reached, "the head of organisation " + std::to_string(latest_.value) +
                               " is not its last row, " + std::to_string(reached));
  }
  for (const Noted& noted : noted_) {
    if (noted.met || noted.head.org != latest_) continue;
    if (noted.head.seq < reached) {
      return broken(noted.head.seq, place(latest_, noted.head.seq) +
                                        ", which a noted head is of, is not in the export");
    }
    return broken(reached + 1, places(latest_, reached + 1, noted.head.seq) +
                                   missing(reached + 1, noted.head.seq) +
                                   ": a noted head says that the chain had come to " +
                                   std::to_string(noted.head.seq));
  }
  heads_.push_back(*head_);
  head_.reset();
  return std::nullopt;
}

std::optional<AuditBreak> AuditCheck::finish() {
  if (!ended_) {
    return broken(head_ ? head_->seq + 1 : 0,
                  "the export has no end: it was cut off after line " + std::to_string(line_));
  }
  for (const Noted& noted : noted_) {
    const bool known = std::any_of(heads_.begin(), heads_.end(), [&](const AuditHead& head) {
      return head.org == noted.head.org;
    });
    if (known) continue;
    latest_ = noted.head.org;
    return broken(1, places(latest_, 1, noted.head.seq) + missing(1, noted.head.seq) +
                         ": there is a noted head of it, and no chain in the export");
  }
  return std::nullopt;
}

}  // namespace muster::model
