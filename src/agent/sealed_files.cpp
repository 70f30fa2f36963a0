// SPDX-License-Identifier: Apache-2.0
#include "agent/sealed_files.h"

#include <span>

#include "agent/bounds.h"
#include "agent/identity.h"
#include "base/json_read.h"
#include "base/text.h"
#include "crypto/seal.h"

namespace muster::agent {

namespace {

std::span<const std::uint8_t> octets(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// The `sealed_keys` of an identity's file; empty if it has none.
std::string sealed_keys_of(std::string_view text) {
  JsonDocument document;
  const auto root = document.parse(text);
  if (!root.ok() || !root->is_object()) return {};
  const auto sealed = root->find("sealed_keys");
  return sealed ? std::string(sealed->string().value_or("")) : std::string();
}

}  // namespace

crypto::SecretKey machine_key(const std::filesystem::path& root) {
  const auto raw = read_small_file(root / "etc/machine-id", bounds::proc_file_bytes);
  const std::string id(trim(raw ? std::string_view(*raw) : std::string_view()));
  const crypto::SecretKey secret = crypto::content_hash(octets(id));
  return crypto::KeyedHash(secret).derive("muster-agent keys at rest, version 1", "").bytes;
}

std::optional<std::string> SealedFiles::read(const std::string& name) const {
  auto content = inner_.read(name);
  if (!content || name != Identity::file) return content;
  const auto sealed = from_hex(sealed_keys_of(*content));
  if (!sealed || sealed->empty()) return content;
  const auto keys = crypto::unseal(*sealed, key_);
  if (!keys) return content;
  auto identity = decode_sealed_identity(*content);
  if (!identity.ok()) return content;
  const std::size_t end = keys->find('\n');
  identity->key = keys->substr(0, end);
  identity->pending_key = end == std::string::npos ? "" : keys->substr(end + 1);
  return encode_identity(*identity);
}

void SealedFiles::write(const std::string& name, std::string_view content) {
  if (name != Identity::file) return inner_.write(name, content);
  const Identity identity = decode_identity(content).value();
  const std::string keys = identity.key + "\n" + identity.pending_key;
  inner_.write(name,
               encode_sealed_identity(identity, to_hex(octets(crypto::seal(keys, key_, rng_)))));
}

}  // namespace muster::agent
