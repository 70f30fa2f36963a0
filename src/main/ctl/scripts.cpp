// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/files.h"
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns listed = {
    {"platform", "PLATFORM", &formats::id},
    {"version", "VERSION"},
    {"size", "SIZE", &formats::bytes},
    {"uploaded_at", "UPLOADED", &formats::time},
    {"sha256", "SHA256"},
};

const Columns shown = {
    {"platform", "platform"},
    {"version", "version"},
    {"size", "size", &formats::bytes},
    {"sha256", "sha256", &formats::id},
    {"uploaded_at", "uploaded", &formats::time},
    {"uploaded_by", "uploaded by", &formats::person},
};

Result<void> upload_script(const Shell& shell, Session& session, const FlagValues& values) {
  const crypto::Sha256 digest = TRY(upload_file(session, values.text("path"), "0"));
  JsonWriter json;
  json.begin_object()
      .member("platform", values.text("platform"))
      .member("version", values.text("version"))
      .member("sha256", digest.text());
  return call_and_print(shell, session, http::Method::post, "/api/v1/scripts",
                        json.end_object().take(), facts_view(shown));
}

Flag platform_flag() {
  return {.name = "--platform",
          .member = "platform",
          .what = "linux, macos or windows",
          .required = true};
}

}  // namespace

void add_scripts(Grammar& grammar) {
  grammar.noun("scripts", "What inventory agents in the field replace themselves with")
      .slow({"upload", "Offer a script to the agents of a platform that run an earlier version",
             "muster scripts upload ./agent.sh --platform linux --version 1.6.0"},
            {{.name = "FILE",
              .member = "path",
              .what = "The script",
              .kind = Flag::Kind::file,
              .required = true},
             platform_flag(),
             {.name = "--version",
              .member = "version",
              .what = "Its version; agents that run an earlier one are told of it",
              .required = true}},
            upload_script)
      .list({"list", "List scripts", "muster scripts list --json"}, "/api/v1/scripts", {}, listed,
            {"script", "scripts"})
      .call({"delete", "Stop offering a script to the agents of a platform",
             "muster scripts delete --platform linux"},
            http::Method::del, "/api/v1/scripts/{platform}", {platform_flag()}, facts_view(shown));
}

}  // namespace muster::ctl
