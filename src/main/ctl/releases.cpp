// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"
#include "base/text.h"
#include "crypto/pem.h"
#include "crypto/random.h"
#include "main/ctl/files.h"
#include "main/ctl/grammar.h"
#include "model/release.h"

namespace muster::ctl {

namespace {

const Columns listed = {
    {"id", "ID", &formats::id},
    {"version", "VERSION"},
    {"os", "OS"},
    {"arch", "ARCH"},
    {"size", "SIZE", &formats::bytes},
    {"mandatory", "MANDATORY", &formats::yes_no},
    {"published_at", "PUBLISHED", &formats::time},
    {"expires_at", "EXPIRES", &formats::time},
    {"withdrawn_at", "WITHDRAWN", &formats::time},
};

const Columns shown = {
    {"id", "id", &formats::id},
    {"version", "version"},
    {"os", "os"},
    {"arch", "arch"},
    {"size", "size", &formats::bytes},
    {"sha256", "sha256", &formats::id},
    {"serial", "serial"},
    {"mandatory", "mandatory", &formats::yes_no},
    {"notes", "notes"},
    {"public_key", "signed by", &formats::id},
    {"published_at", "published", &formats::time},
    {"published_by", "published by", &formats::person},
    {"expires_at", "expires", &formats::time},
    {"withdrawn_at", "withdrawn", &formats::time},
};

const Columns made = {
    {"path", "file", &formats::id},
    {"public_key", "public key", &formats::id},
    {"version", "version"},
    {"serial", "serial"},
    {"expires", "expires", &formats::time},
};

constexpr std::size_t small_file_bytes = 64 * limits::KiB;

void print(const Shell& shell, const std::string& json) {
  if (shell.json()) return shell.print_json(json);
  JsonDocument document;
  shell.print_facts(facts_of(made, document.parse(json).value()));
}

std::string public_key_of(const crypto::SigningKey& key) {
  return to_hex(key.public_key());
}

Result<void> make_key(const Shell& shell, const FlagValues& values) {
  crypto::SystemRng rng;
  const auto seed = crypto::SigningKey::make_seed(rng);
  const std::string path = values.text("key");
  TRY(write_new_file(path, crypto::write_signing_key(seed), 0600));
  JsonWriter json;
  json.begin_object().member("path", path);
  json.member("public_key", public_key_of(crypto::SigningKey(seed))).end_object();
  print(shell, json.take());
  return {};
}

Result<void> sign_release(const Shell& shell, const FlagValues& values) {
  const auto seed = crypto::read_signing_key(TRY(read_file(values.text("key"), small_file_bytes)));
  if (!seed) return invalid_field("--key", "is no Ed25519 private key in PEM");
  const std::string path = values.text("path");
  const std::string content = TRY(read_file(path, limits::blob_bytes));
  model::Manifest manifest;
  manifest.version = values.text("version");
  manifest.os = values.text("os");
  manifest.arch = values.text("arch");
  manifest.sha256 = crypto::sha256(content);
  manifest.size = static_cast<std::int64_t>(content.size());
  if (!model::is_release_version(manifest.version)) {
    return invalid_field("--version", "must be a version like 1.2.3 or 1.2.3-rc.1");
  }
  // Seconds since 1970 grow from release to release without anybody keeping count.
  manifest.serial = values.integer("serial").value_or(SystemClock().now().unix_ms / 1000);
  if (values.has("expires")) manifest.expires_at = TRY(parse_rfc3339(values.text("expires")));
  const crypto::SigningKey key(*seed);
  const std::string text = model::encode_manifest(manifest);
  JsonWriter json;
  json.begin_object()
      .member("manifest", text)
      .member("manifest_signature", to_hex(key.sign(text)))
      .member("public_key", public_key_of(key))
      .end_object();
  const std::string beside = path + ".manifest.json";
  TRY(write_new_file(beside, json.take() + "\n", 0644));
  JsonWriter outcome;
  outcome.begin_object()
      .member("path", beside)
      .member("public_key", public_key_of(key))
      .member("version", manifest.version)
      .member("serial", manifest.serial)
      .member("expires", manifest.expires_at)
      .end_object();
  print(shell, outcome.take());
  return {};
}

/// Adds the members of a file that `sign` wrote.
Result<void> add_manifest(JsonWriter& json, const std::string& path) {
  const std::string content = TRY(read_file(path, small_file_bytes));
  JsonDocument document;
  Fields fields(TRY(document.parse(content)));
  for (const std::string_view name : {"manifest", "manifest_signature", "public_key"}) {
    json.member(name, fields.text(name, small_file_bytes));
  }
  return fields.finish();
}

Result<void> publish_release(const Shell& shell, Session& session, const FlagValues& values) {
  JsonWriter json;
  json.begin_object()
      .member("version", values.text("version"))
      .member("os", values.text("os"))
      .member("arch", values.text("arch"))
      .member("mandatory", values.has("mandatory"));
  if (values.has("notes")) json.member("notes", values.text("notes"));
  if (values.has("manifest")) TRY(add_manifest(json, values.text("manifest")));
  const crypto::Sha256 digest = TRY(upload_file(session, values.text("path"), "0"));
  json.member("sha256", digest.text());
  return call_and_print(shell, session, http::Method::post, "/api/v1/releases",
                        json.end_object().take(), facts_view(shown));
}

std::vector<Flag> release_flags(std::vector<Flag> more) {
  std::vector<Flag> flags = {
      {.name = "FILE",
       .member = "path",
       .what = "The agent's program",
       .kind = Flag::Kind::file,
       .required = true},
      {"--version", "version", "Its version, like 1.2.3", Flag::Kind::text, true},
      {.name = "--os",
       .member = "os",
       .what = "The system it runs on",
       .required = true,
       .choices = {"linux", "windows", "darwin"}},
      {.name = "--arch",
       .member = "arch",
       .what = "The processor it runs on",
       .required = true,
       .choices = {"amd64", "arm64"}}};
  flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

}  // namespace

void add_releases(Grammar& grammar) {
  const std::string facts = " ./muster-agent --version 1.2.3 --os linux --arch amd64";
  grammar.noun("releases", "Programs that agents update to")
      .local({"keygen", "Make a key that releases are signed with",
              "muster releases keygen --key release.pem"},
             {{"--key", "key", "The file to write, which must not exist", Flag::Kind::text, true}},
             make_key)
      .local({"sign", "Sign a program, without a server, into FILE.manifest.json",
              "muster releases sign" + facts + " --key release.pem"},
             release_flags({{.name = "--key",
                             .member = "key",
                             .what = "An Ed25519 private key in PEM, as keygen writes it",
                             .kind = Flag::Kind::file,
                             .required = true},
                            {"--serial", "serial",
                             "Above that of every earlier release (the time in seconds by default)",
                             Flag::Kind::integer},
                            {"--expires", "expires",
                             "When it stops being given out, such as 2027-01-31T00:00:00Z"}}),
             sign_release)
      .slow(
          {"publish", "Publish a program and offer it to all agents of its platform",
           "muster releases publish" + facts},
          release_flags({{"--mandatory", "mandatory", "Agents must not put it off", Flag::Kind::on},
                         {"--notes", "notes", "What is new"},
                         {.name = "--manifest",
                          .member = "manifest",
                          .what = "What sign wrote; without it the server signs",
                          .kind = Flag::Kind::file}}),
          publish_release)
      .list({"list", "List releases, newest first", "muster releases list"}, "/api/v1/releases", {},
            listed, {"release", "releases"})
      .call({"show", "Show one release", "muster releases show 1234567890"}, http::Method::get,
            "/api/v1/releases/{id}", {id_flag("Id of the release")}, facts_view(shown))
      .call({"withdraw", "Stop offering a release", "muster releases withdraw 1234567890"},
            http::Method::post, "/api/v1/releases/{id}/withdraw", {id_flag("Id of the release")},
            row_view(listed));
}

}  // namespace muster::ctl
