// SPDX-License-Identifier: Apache-2.0
#include "agent/update_offer.h"

#include <algorithm>

#include "agent/bounds.h"
#include "base/text.h"

namespace muster::agent {

namespace {

bool is_signed(const UpdateOffer& offer, const std::vector<crypto::PublicKey>& keys) {
  const auto signature = crypto::parse_signature(offer.signature);
  return signature && std::any_of(keys.begin(), keys.end(), [&](const crypto::PublicKey& key) {
           return crypto::verify(offer.manifest, *signature, key);
         });
}

}  // namespace

Result<UpdateOffer> read_offer(const Json& data) {
  if (!data.is_object()) return Error{Errc::invalid_json, "the answer holds no offer"};
  Fields fields(data, "data");
  UpdateOffer offer;
  offer.manifest = fields.text("manifest", bounds::manifest_bytes);
  offer.signature = fields.text("manifest_signature", limits::key_bytes);
  TRY(fields.finish());
  return offer;
}

Result<std::vector<crypto::PublicKey>> update_keys(const std::vector<std::string>& pinned,
                                                   std::string_view enrolled) {
  std::vector<crypto::PublicKey> keys;
  const auto add = [&](std::string_view text, const char* field) -> Result<void> {
    const auto key = crypto::parse_public_key(text);
    if (!key) return invalid_field(field, "must be an Ed25519 public key in hexadecimal or base64");
    keys.push_back(*key);
    return {};
  };
  for (const std::string& text : pinned) TRY(add(text, "update.trusted_keys"));
  if (pinned.empty() && !enrolled.empty()) TRY(add(enrolled, "update_public_key"));
  return keys;
}

Result<model::Manifest> accept_offer(const UpdateOffer& offer, const UpdateJudge& judge) {
  if (!is_signed(offer, judge.keys)) {
    return invalid_field("manifest_signature", "is of no key that this host trusts");
  }
  model::Manifest manifest = TRY(model::parse_manifest(offer.manifest));
  const auto refuse = [](const char* member, std::string why) {
    return invalid_field("manifest." + std::string(member), std::move(why));
  };
  if (manifest.os != "linux") return refuse("os", "is not linux");
  if (manifest.arch != judge.arch) return refuse("arch", "is not " + std::string(judge.arch));
  if (!model::is_release_version(manifest.version)) return refuse("version", "is none");
  if (model::compare_agent_versions(manifest.version, judge.version) <= 0) {
    return refuse("version", manifest.version + " is not newer than this agent");
  }
  if (manifest.serial <= judge.record.serial) {
    return refuse("serial", "is not above that of an update taken before");
  }
  if (manifest.expires_at && judge.now >= *manifest.expires_at) {
    return refuse("expires", "has passed");
  }
  if (manifest.size > static_cast<std::int64_t>(bounds::build_bytes)) {
    return refuse("size", "is beyond what an agent may have");
  }
  if (judge.record.has_failed(manifest.sha256)) {
    return refuse("sha256", "is of a build that failed on this host");
  }
  return manifest;
}

Result<std::int64_t> offset_of_body(const Answer& answer, std::int64_t size) {
  const auto length = static_cast<std::int64_t>(answer.body.size());
  if (answer.status == 200) {
    if (length != size) return invalid_field("body", "is not of the size that was signed");
    return 0;
  }
  std::string_view range = answer.header("Content-Range");
  constexpr std::string_view unit = "bytes ";
  if (!range.starts_with(unit)) return invalid_field("Content-Range", "is missing");
  range.remove_prefix(unit.size());
  const std::size_t dash = range.find('-');
  const std::size_t slash = range.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || dash > slash) {
    return invalid_field("Content-Range", "is malformed");
  }
  const auto first = parse_int(range.substr(0, dash));
  const auto last = parse_int(range.substr(dash + 1, slash - dash - 1));
  const auto total = parse_int(range.substr(slash + 1));
  const bool sound = first && last && total && *total == size && length > 0 && *first >= 0 &&
                     *last < size && *last - *first + 1 == length;
  if (!sound) return invalid_field("Content-Range", "does not fit the file that was signed");
  return *first;
}

}  // namespace muster::agent
