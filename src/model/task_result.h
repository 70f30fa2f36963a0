// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/sha256.h"

namespace muster::model {

struct Task;

/// What a test, or one control of a bundle, found out about its host. In the order in which one
/// control speaks for its bundle: a single hole makes the run unprotected, whatever else held.
enum class Outcome : std::uint8_t {
  not_run,       // a control that was skipped
  inconclusive,  // it ran, and says nothing about protection
  protected_,    // it was stopped
  error,         // it could not do its work
  unprotected,   // nothing stopped it
};
std::string_view outcome_name(Outcome outcome);
std::optional<Outcome> parse_outcome(std::string_view text);

/// By the exit codes that the tests of agents in the field share: 101 is unprotected; 105, 126 and
/// 127 are protected (quarantined on extraction, prevented, quarantined on execution); 1, 259 and
/// 999 are errors (not recognised, still active at its timeout, unexpected). A negative code
/// (killed at its timeout, or none was sent) and an NTSTATUS of severity error (it crashed) are
/// errors too. Everything else, 0 and 200 among them, is inconclusive.
Outcome outcome_of(std::int64_t exit_code);

/// One control of a bundle. `flag` says what was wrong with it as sent; empty is well-formed.
struct Control {
  std::string control_id;
  std::int64_t position = 0;
  std::string name;
  std::string validator;
  std::int64_t exit_code = 0;
  bool compliant = false;
  bool skipped = false;
  std::string severity;
  std::string category;
  std::string subcategory;
  std::string techniques;  // JSON array of strings
  std::string tactics;     // JSON array of strings
  std::string expected;
  std::string actual;
  std::string details;
  std::string error_message;
  std::string flag;
};
/// `compliant` is the test's own notion and has no part in it.
Outcome outcome_of(const Control& control);

/// What a program wrote to one stream, and the digest by which the store keeps it once.
class Output {
 public:
  Output() = default;
  explicit Output(std::string text, bool truncated = false);
  /// Of text that was stored under `sha256`.
  Output(std::string text, bool truncated, const crypto::Sha256& sha256)
      : text_(std::move(text)), sha256_(sha256), truncated_(truncated) {}

  const std::string& text() const { return text_; }
  bool truncated() const { return truncated_; }
  /// Nothing for an empty text, which is not stored.
  std::optional<crypto::Sha256> sha256() const {
    return text_.empty() ? std::nullopt : std::optional(sha256_);
  }
  /// Its octets, which last as long as this.
  std::optional<std::string_view> digest() const {
    return text_.empty() ? std::nullopt : std::optional(sha256_.octets());
  }

 private:
  std::string text_;
  crypto::Sha256 sha256_;
  bool truncated_ = false;
};

enum class ResultFlag : std::uint8_t {
#define RESULT_FLAG(name) name,
#include "model/result_flags.def"
#undef RESULT_FLAG
};

/// What is wrong with a result that was taken all the same.
struct ResultFlags {
  std::int64_t bits = 0;  // as stored

  void set(ResultFlag flag) { bits |= std::int64_t{1} << static_cast<int>(flag); }
  bool has(ResultFlag flag) const { return (bits >> static_cast<int>(flag) & 1) != 0; }
  std::vector<std::string_view> names() const;
};

/// What a bundle says of itself, to be held against its controls and its task.
struct BundleClaims {
  std::string id;
  std::optional<std::int64_t> total, passed, failed;
};

/// What an agent reports when it is done with a task.
struct TaskResult {
  TaskId task;
  HostId host;  // that it ran on
  Instant received_at;
  std::int64_t exit_code = 0;
  std::optional<Outcome> outcome;  // of a test
  ResultFlags flags;
  Output standard_output;
  Output standard_error;
  std::string started_at;    // as sent; fielded agents leave it empty
  std::string completed_at;  // as sent
  std::int64_t duration_ms = 0;
  std::string test_uuid;  // the task's, whatever was sent
  std::string binary_sha256;
  std::string hostname;
  std::string os;
  std::string arch;
  std::string error;
  std::string bundle;  // JSON object of the bundle without its controls; empty if none
  std::vector<Control> controls;
};

/// What an agent sent beside what is kept.
struct ResultClaims {
  std::string task;
  std::string test;
  std::optional<BundleClaims> bundle;
};

/// Of a bundle that of the control that speaks for it, else by the exit code.
Outcome outcome_of(const TaskResult& result);

/// Adds to the result's flags what cannot be true of it: nothing that an agent says of itself is a
/// reason to refuse its work. Empty claims claim nothing.
void flag_untruths(TaskResult& result, const ResultClaims& claims, const Task& task);

}  // namespace muster::model
