// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/files.h"
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns listed = {
    {"test_uuid", "TEST", &formats::id},         {"name", "NAME", &formats::id},
    {"org_id", "ORG", &formats::number},         {"size", "SIZE", &formats::bytes},
    {"uploaded_at", "UPLOADED", &formats::time}, {"sha256", "SHA256"},
};

const Columns shown = {
    {"test_uuid", "test"},
    {"name", "name"},
    {"org_id", "org"},
    {"size", "size", &formats::bytes},
    {"sha256", "sha256", &formats::id},
    {"uploaded_at", "uploaded", &formats::time},
    {"uploaded_by", "uploaded by", &formats::person},
};

Result<void> upload_binary(const Shell& shell, Session& session, const FlagValues& values) {
  const crypto::Sha256 digest = TRY(upload_file(session, values.text("path"), values.text("org")));
  JsonWriter json;
  json.begin_object()
      .member("test_uuid", values.text("test_uuid"))
      .member("name", values.text("name"))
      .member("sha256", digest.text());
  if (values.has("org")) json.member("org", values.text("org"));
  return call_and_print(shell, session, http::Method::post, "/api/v1/binaries",
                        json.end_object().take(), facts_view(shown));
}

Flag test_flag(const std::string& what, bool required) {
  return {.name = "--test-uuid",
          .member = "test_uuid",
          .what = what,
          .required = required,
          .shown = "UUID"};
}

Flag name_flag() {
  return {.name = "--name",
          .member = "name",
          .what = "What agents call it: letters, digits, '.', '_' and '-'",
          .required = true};
}

}  // namespace

void add_binaries(Grammar& grammar) {
  const std::string of = " --test-uuid 7659eeba-f315-440e-9882-4aa015d68b27 --name disk-test";
  grammar.noun("binaries", "Programs that agents run for a test")
      .slow({"upload", "Upload a program", "muster binaries upload ./disk-test" + of},
            {{.name = "FILE",
              .member = "path",
              .what = "The program",
              .kind = Flag::Kind::file,
              .required = true},
             test_flag("The test that it is for", true),
             name_flag(),
             org_flag("Whose agents run it, by id or name")},
            upload_binary)
      .list({"list", "List test binaries", "muster binaries list --json"}, "/api/v1/binaries",
            {test_flag("Only of that test", false), org_flag("Only of that organisation")}, listed,
            {"binary", "binaries"})
      .call({"delete", "Delete a test binary", "muster binaries delete" + of}, http::Method::del,
            "/api/v1/binaries/{test_uuid}/{name}",
            {test_flag("The test that it is for", true), name_flag(),
             org_flag("Whose it is, by id or name")},
            facts_view(shown));
}

}  // namespace muster::ctl
