// SPDX-License-Identifier: Apache-2.0
#include "agent/update_record.h"

#include <algorithm>

#include "agent/bounds.h"
#include "base/ids.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"

namespace muster::agent {

namespace {

constexpr int count_max = 1000;

void write_build(JsonWriter& json, const Build& build) {
  json.member("version", build.version)
      .member("sha256", build.sha256.text())
      .member("serial", build.serial);
}

Result<Build> read_build(Fields& fields) {
  Build build;
  build.version = fields.text("version", limits::agent_version_bytes);
  const std::string_view digest = fields.text("sha256", limits::name_bytes);
  build.serial = fields.integer("serial", 0, number_id_max);
  const auto sha256 = crypto::parse_sha256(digest);
  if (!sha256) fields.fail("sha256", "is no SHA-256");
  TRY(fields.finish());
  build.sha256 = *sha256;
  return build;
}

void write_trial(JsonWriter& json, std::string_view name,
                 const std::optional<UpdateRecord::Trial>& trial) {
  if (!trial) return;
  json.key(name).begin_object();
  write_build(json, trial->build);
  json.member("starts", trial->starts).member("suspicions", trial->suspicions).end_object();
}

Result<std::optional<UpdateRecord::Trial>> read_trial(Fields& root, std::string_view name) {
  const auto object = root.optional_object(name);
  TRY(root.finish());
  if (!object) return std::optional<UpdateRecord::Trial>();
  Fields fields(*object, root.path(name));
  UpdateRecord::Trial trial;
  trial.starts = static_cast<int>(fields.integer("starts", 0, count_max));
  trial.suspicions = static_cast<int>(fields.integer("suspicions", 0, count_max));
  trial.build = TRY(read_build(fields));
  return std::optional(std::move(trial));
}

}  // namespace

bool UpdateRecord::has_failed(const crypto::Sha256& sha256) const {
  return std::any_of(failures.begin(), failures.end(),
                     [&](const Failure& failure) { return failure.build.sha256 == sha256; });
}

void UpdateRecord::fail(const Build& build, std::string why) {
  if (has_failed(build.sha256)) return;
  failures.push_back({build, std::string(cut_utf8(why, limits::detail_bytes))});
  if (failures.size() > bounds::failed_builds) failures.erase(failures.begin());
}

std::vector<std::string> UpdateRecord::files_in_use() const {
  std::vector<std::string> files;
  if (current) files.push_back(current->file());
  if (trial) files.push_back(trial->build.file());
  if (suspect) files.push_back(suspect->build.file());
  return files;
}

std::string encode_update(const UpdateRecord& record) {
  JsonWriter json;
  json.begin_object().member("serial", record.serial);
  if (record.current) {
    json.key("current").begin_object();
    write_build(json, *record.current);
    json.end_object();
  }
  write_trial(json, "trial", record.trial);
  write_trial(json, "suspect", record.suspect);
  json.key("failures").begin_array();
  for (const UpdateRecord::Failure& failure : record.failures) {
    json.begin_object();
    write_build(json, failure.build);
    json.member("why", failure.why).end_object();
  }
  json.end_array().end_object();
  return json.take() + "\n";
}

Result<UpdateRecord> decode_update(std::string_view text) {
  JsonDocument document;
  Fields fields(TRY(document.parse(text)));
  UpdateRecord record;
  record.serial = fields.integer("serial", 0, number_id_max);
  const auto current = fields.optional_object("current");
  const auto failures = fields.array("failures", bounds::failed_builds);
  TRY(fields.finish());
  if (current) {
    Fields members(*current, "current");
    record.current = TRY(read_build(members));
  }
  record.trial = TRY(read_trial(fields, "trial"));
  record.suspect = TRY(read_trial(fields, "suspect"));
  Result<void> sound;
  failures->for_each([&](const Json& element) {
    Fields members(element, "failures[]");
    std::string why(members.optional_text("why", limits::detail_bytes).value_or(""));
    auto build = read_build(members);
    if (!build.ok()) {
      sound = build.error();
    } else {
      record.failures.push_back({std::move(build).value(), std::move(why)});
    }
  });
  TRY(std::move(sound));
  return record;
}

}  // namespace muster::agent
