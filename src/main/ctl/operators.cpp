// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "crypto/random.h"
#include "fleet/fleet.h"
#include "fleet/operators.h"
#include "main/ctl/data_directory.h"
#include "main/ctl/files.h"
#include "main/ctl/grammar.h"
#include "store/postgres/postgres_connection.h"
#include "store/sqlite/sqlite_connection.h"

namespace muster::ctl {

namespace {

const Columns listed = {
    {"id", "ID", &formats::id},
    {"name", "NAME"},
    {"role", "ON SERVER"},
    {"revoked_at", "REVOKED", &formats::time},
    {"expires_at", "EXPIRES", &formats::time},
    {"grants", "IN ORGANISATIONS", &formats::grants},
    {"created_at", "CREATED", &formats::time},
};

const Columns created = {
    {"id", "id"},
    {"token", "token"},
    {"name", "name"},
    {"role", "role"},
    {"expires_at", "expires", &formats::time},
};

const Columns renewed = {
    {"id", "id", &formats::id},
    {"name", "name"},
    {"role", "role"},
    {"expires_at", "expires", &formats::time},
};

const Columns granted = {
    {"operator_id", "operator", &formats::id},
    {"org_id", "org"},
    {"role", "role"},
    {"granted_at", "granted", &formats::time},
    {"granted_by", "by", &formats::person},
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

const View created_view = facts_view(created, "The token is shown this once.");

Result<void> create(const Shell& shell, Session& session, const FlagValues& values) {
  for (const auto& [member, flag] :
       {std::pair("store", "--store"), {"secret_file", "--secret-file"}}) {
    if (values.has(member)) return invalid_field(flag, "needs --data");
  }
  JsonWriter body;
  body.begin_object();
  values.write_members(body, "{data}{store}{secret_file}");
  return call_and_print(shell, session, http::Method::post, "/api/v1/operators",
                        body.end_object().take(), created_view);
}

/// The store that a server on the directory has. `lock` is held as long as it is used: beside a
/// server on PostgreSQL others may work.
Result<std::unique_ptr<store::Database>> store_of(const FlagValues& values,
                                                  std::unique_ptr<store::DirectoryLock>& lock) {
  const std::string directory = values.text("data");
  const std::string url = values.text("store");
  if (!url.empty()) {
    if (!store::PostgresDatabase::is_address(url)) {
      return invalid_field("--store", "must be postgresql://USER@HOST/DATABASE");
    }
    return std::unique_ptr<store::Database>(std::make_unique<store::PostgresDatabase>(url));
  }
  lock = TRY(lock_data_directory(directory, false));
  if (!std::filesystem::exists(directory + "/muster.db")) {
    return Error{Errc::not_found, directory + "/muster.db: there is no embedded store"};
  }
  return std::unique_ptr<store::Database>(std::make_unique<store::SqliteDatabase>(directory));
}

Result<fleet::OperatorOrder> order_of(const FlagValues& values) {
  if (values.has("org")) return invalid_field("--org", "needs a server: --data is for the whole");
  const std::string name = values.text("name");
  if (name.size() > limits::name_bytes || !is_plain_text(name)) {
    return invalid_field(
        "--name", "must be text of at most " + std::to_string(limits::name_bytes) + " bytes");
  }
  const auto ttl = values.integer("ttl_seconds").value_or(limits::operator_ttl_seconds);
  if (ttl > limits::operator_ttl_seconds_max)
    return invalid_field("--ttl", "must be at most 10 years");
  return fleet::OperatorOrder{name, http::parse_role(values.text("role")).value(),
                              std::chrono::seconds(ttl)};
}

/// For owners whose tokens all ended: whoever may write the store may appoint one in it.
Result<void> create_here(const Shell& shell, const FlagValues& values) {
  const fleet::OperatorOrder order = TRY(order_of(values));
  std::unique_ptr<store::DirectoryLock> lock;
  auto database = TRY(store_of(values, lock));
  const std::string secret =
      values.has("secret_file") ? values.text("secret_file") : values.text("data") + "/secret";
  // Another would be made in its place, and would open nothing.
  if (!std::filesystem::exists(secret)) {
    return invalid_field("--secret-file", secret + " is not there: name the server's");
  }
  crypto::SystemRng rng;
  const SystemClock clock;
  fleet::Fleet fleet(std::move(database), secret, rng, clock.now());
  const auto write = [&](store::Tx& tx) -> Result<fleet::CreatedOperator> {
    TRY(fleet::check_operator_name(tx, order.name, clock.now()));
    return fleet::create_operator(tx, fleet.ids, rng, fleet.credentials, fleet::Actor::server(),
                                  order, clock.now());
  };
  const auto made = TRY(fleet.store.write(write));
  JsonWriter json;
  json.begin_object()
      .member("id", made.id)
      .member("token", made.token)
      .member("name", order.name)
      .member("role", http::role_name(order.role))
      .member("expires_at", made.expires_at)
      .end_object();
  if (shell.json()) {
    shell.print_json(json.text());
  } else {
    created_view(shell, TRY(thread_json().parse(json.text())));
  }
  return {};
}

Flag ttl_flag() {
  return {.name = "--ttl",
          .member = "ttl_seconds",
          .what = "How long the token is good from now on (90d by default; 0s: it never ends)",
          .kind = Flag::Kind::seconds};
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
      .slow_or_local({"create",
                      "Create an operator, with no role above your own; with --data on the "
                      "server's machine, when no owner's token works any more",
                      "muster operators create --name ada --role analyst"},
                     {{"--name", "name", "Who it is", Flag::Kind::text, true},
                      role_flag("What the operator may do"),
                      org_flag("In that organisation only (on the whole server by default)"),
                      ttl_flag(),
                      {.name = "--store",
                       .member = "store",
                       .what = "The server's PostgreSQL store, with --data; servers may run on it",
                       .shown = "URL"},
                      {.name = "--secret-file",
                       .member = "secret_file",
                       .what = "The server's secret, with --data (default DATA/secret)",
                       .kind = Flag::Kind::file}},
                     create, create_here)
      .call({"renew", "Change when an operator's token expires; the token stays the same",
             "muster operators renew 1234567890 --ttl 90d"},
            http::Method::post, "/api/v1/operators/{id}/renew",
            {id_flag("Id of the operator"), ttl_flag()}, facts_view(renewed))
      .list({"list", "List operators, including former ones", "muster operators list"},
            "/api/v1/operators", {org_flag("Only those with a role of their own there")}, listed,
            {"operator", "operators"})
      .call({"grant", "Give an operator a role in an organisation, none above your own there",
             "muster operators grant 1234567890 --org acme --role operator"},
            http::Method::put, "/api/v1/operators/{id}/grants/{org}",
            {id_flag("Id of the operator"), needed_org_flag("Where"),
             role_flag("What the operator may do there")},
            facts_view(granted))
      .call({"revoke-grant", "Take back an operator's role in an organisation",
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
