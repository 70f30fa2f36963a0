// SPDX-License-Identifier: Apache-2.0
#include "base/json_write.h"
#include "base/limits.h"
#include "main/ctl/files.h"
#include "main/ctl/grammar.h"

namespace muster::ctl {

namespace {

const Columns listed = {
    {"id", "ID", &formats::id},
    {"name", "NAME"},
    {"role", "ON SERVER"},
    {"grants", "IN ORGANISATIONS", &formats::grants},
    {"created_at", "CREATED", &formats::time},
    {"expires_at", "EXPIRES", &formats::time},
    {"revoked_at", "REVOKED", &formats::time},
};

const Columns created = {
    {"id", "id"},
    {"token", "token"},
    {"name", "name"},
    {"role", "role"},
    {"expires_at", "expires", &formats::time},
};

const Columns granted = {
    {"operator_id", "operator", &formats::id}, {"org_id", "org"},    {"role", "role"},
    {"granted_at", "granted", &formats::time}, {"granted_by", "by"},
};

const Columns done = {{"status", "status"}};

Flag role_flag(const std::string& what) {
  return {.name = "--role",
          .member = "role",
          .what = what,
          .kind = Flag::Kind::text,
          .required = true,
          .choices = {"read_only", "analyst", "operator", "admin", "owner"},
          .shown = "read_only|analyst|operator|admin|owner"};
}

Flag needed_org_flag(const std::string& what) {
  Flag flag = org_flag(what);
  flag.required = true;
  return flag;
}

/// The first line of a file: passwords never stand among the arguments, which others can see.
Result<std::string> read_password(const std::string& path) {
  const std::string text = TRY(read_file(path, limits::KiB));
  return text.substr(0, text.find_first_of("\r\n"));
}

Result<void> set_password(const Shell& shell, Session& session, const FlagValues& values) {
  JsonWriter body;
  body.begin_object()
      .member("password", TRY(read_password(values.text("password_file"))))
      .end_object();
  TRY(session.call(http::Method::put, "/api/v1/me/password", body.take()));
  if (shell.json()) {
    shell.print_json(R"({"status": "ok"})");
  } else {
    shell.print("The password is set. Sign in to the console under your operator's name.\n");
  }
  return {};
}

}  // namespace

void add_operators(Grammar& grammar) {
  grammar.noun("operators", "Operators: who may see and do what on this server")
      .call({"create", "Appoint an operator, of no role above your own",
             "muster operators create --name ada --role analyst"},
            http::Method::post, "/api/v1/operators",
            {{"--name", "name", "Who it is", Flag::Kind::text, true},
             role_flag("What the operator may do"),
             org_flag("In that organisation only (on the whole server by default)"),
             {.name = "--ttl",
              .member = "ttl_seconds",
              .what = "How long the token is good (90d by default)",
              .kind = Flag::Kind::seconds}},
            facts_view(created, "The token is shown this once."))
      .list({"list", "List operators, also former ones", "muster operators list"},
            "/api/v1/operators", {org_flag("Only those with a role of their own there")}, listed,
            {"operator", "operators"})
      .call({"grant", "Give an operator a role in an organisation, of none above your own there",
             "muster operators grant 1234567890 --org acme --role operator"},
            http::Method::put, "/api/v1/operators/{id}/grants/{org}",
            {id_flag("Id of the operator"), needed_org_flag("Where"),
             role_flag("What the operator may do there")},
            facts_view(granted))
      .call({"revoke-grant", "Take back what an operator was granted in an organisation",
             "muster operators revoke-grant 1234567890 --org acme"},
            http::Method::del, "/api/v1/operators/{id}/grants/{org}",
            {id_flag("Id of the operator"), needed_org_flag("Where")}, facts_view(granted))
      .call(
          {"revoke", "End an operator's token and sessions", "muster operators revoke 1234567890"},
          http::Method::del, "/api/v1/operators/{id}", {id_flag("Id of the operator")},
          row_view(listed))
      .remote({"set-password",
               "Set the password that you sign in to the console with, under your operator's name",
               "muster operators set-password --password-file password"},
              {{.name = "--password-file",
                .member = "password_file",
                .what = "Its first line is the password, of 12 characters or more",
                .kind = Flag::Kind::file,
                .required = true}},
              set_password)
      .call({"remove-password",
             "Take away an operator's password and second factor, and end its sessions",
             "muster operators remove-password 1234567890"},
            http::Method::del, "/api/v1/operators/{id}/password", {id_flag("Id of the operator")},
            facts_view(done));
}

}  // namespace muster::ctl
