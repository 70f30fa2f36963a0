// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/signed_tasks.h"

#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "crypto/pem.h"
#include "crypto/random.h"
#include "crypto/sha256.h"
#include "main/ctl/columns.h"
#include "main/ctl/files.h"
#include "model/work_order.h"

namespace muster::ctl {

namespace {

/// What the clocks of this machine and of the server may differ by.
constexpr Duration clock_margin = std::chrono::minutes(5);

/// What FlagValues::write_members() leaves out: flags that are no members of the request, and
/// members that are written as they were signed.
constexpr std::string_view left_out =
    "{sign_key}{program}{expires}{env_vars}{execution_timeout}{binary_name}{agent_ids}{query}";

using Variables = std::vector<std::pair<std::string, std::string>>;

Result<crypto::SigningKey::Seed> read_key(const FlagValues& values) {
  const auto seed =
      crypto::read_signing_key(TRY(read_file(values.text("sign_key"), 64 * limits::KiB)));
  if (!seed) return invalid_field("--sign-key", "is no Ed25519 private key in PEM");
  return *seed;
}

/// With a variable that nobody can guess, so that the digest in an order gives nothing away.
Result<Variables> salted_variables(const FlagValues& values, Rng& rng) {
  JsonWriter json;
  json.begin_object();
  values.write_pairs(json, "env_vars");
  JsonDocument document;
  Variables variables;
  const std::string text = json.end_object().take();
  document.parse(text).value().for_each_member([&](std::string_view name, const Json& value) {
    variables.emplace_back(name, value.string().value_or(""));
  });
  if (variables.empty()) return variables;
  for (const auto& [name, value] : variables) {
    if (name == model::order_salt) return invalid_field("--env", name + " is for muster itself");
  }
  variables.emplace_back(model::order_salt, crypto::make_key_text("", rng));
  return variables;
}

/// The program is digested here: what the server has under that name proves nothing.
Result<void> take_program(const FlagValues& values, model::WorkOrder& order) {
  const Result<Uuid> test = parse_uuid(values.text("test_uuid"));
  if (!test.ok()) return invalid_field("--test-uuid", "must be a UUID");
  if (!values.has("program")) {
    return invalid_field("--program", "is required: the file whose digest is signed");
  }
  const std::string path = values.text("program");
  order.test_uuid = test->text();
  order.binary_name = values.has("binary_name") ? values.text("binary_name")
                                                : path.substr(path.find_last_of('/') + 1);
  order.binary_sha256 = crypto::sha256(TRY(read_file(path, limits::blob_bytes))).text();
  order.arguments = values.texts("arguments");
  return {};
}

/// What all agents are told.
Result<model::WorkOrder> order_of(const FlagValues& values, const Variables& variables,
                                  Instant now) {
  model::WorkOrder order;
  order.type = model::parse_task_type(values.text("type")).value();
  const model::TaskDefaults& defaults = model::defaults_of(order.type);
  order.command = values.text("command");
  if (order.type == model::TaskType::execute_test) TRY(take_program(values, order));
  order.execution_timeout_seconds =
      values.integer("execution_timeout").value_or(defaults.timeout_seconds);
  order.env_sha256 = model::digest_of_env(variables);
  const std::int64_t ttl = values.integer("ttl_seconds").value_or(defaults.ttl_seconds);
  order.not_before = now - clock_margin;
  order.expires_at = now + std::chrono::seconds(ttl);
  if (values.has("expires")) order.expires_at = TRY(parse_rfc3339(values.text("expires")));
  // In whole seconds, as they are written.
  order.not_before.unix_ms -= order.not_before.unix_ms % 1000;
  order.expires_at.unix_ms -= order.expires_at.unix_ms % 1000;
  if (order.expires_at <= now) return invalid_field("--expires", "has passed");
  return order;
}

Result<std::string> org_of(Session& session, const std::string& agent) {
  const std::string answer =
      TRY(session.call(http::Method::get, "/api/v1/agents/" + encode_component(agent)));
  JsonDocument document;
  Fields fields(TRY(document.parse(answer)));
  const std::int64_t org = fields.integer("org_id", 1, number_id_max);
  TRY(fields.finish());
  return std::to_string(org);
}

/// An agent to sign for, and its organisation as agents are told it.
struct Signed {
  AgentId agent;
  std::string org;
};

/// Those whom `--query` means at this moment: the server is asked, and each is signed for by name.
Result<std::vector<Signed>> agents_of_query(Session& session, const FlagValues& values) {
  JsonWriter json;
  json.begin_object();
  values.write_members(json, "{sign_key}{program}{expires}{env_vars}");
  json.member("dry_run", true);
  const std::string answer =
      TRY(session.call(http::Method::post, "/api/v1/tasks", json.end_object().take()));
  JsonDocument document;
  Fields fields(TRY(document.parse(answer)));
  const auto list = fields.array("agents", limits::task_targets);
  TRY(fields.finish());
  std::vector<std::string> texts;
  list->for_each([&](const Json& each) { texts.emplace_back(text_at(each, "agent_id")); });
  // A query is about one organisation.
  std::vector<Signed> all;
  std::string org;
  for (const std::string& text : texts) {
    const Result<Uuid> id = parse_uuid(text);
    if (!id.ok()) return Error{Errc::unavailable, "The server named an agent that is none."};
    if (org.empty()) org = TRY(org_of(session, text));
    all.push_back({{*id}, org});
  }
  return all;
}

Result<std::vector<Signed>> agents_of(Session& session, const FlagValues& values) {
  if (values.has("query")) return agents_of_query(session, values);
  std::vector<Signed> all;
  for (const std::string& agent : values.texts("agent_ids")) {
    const Result<Uuid> id = parse_uuid(agent);
    if (!id.ok()) return invalid_field("--agent", agent + " is no id of an agent");
    std::string org = TRY(org_of(session, agent));
    all.push_back({{*id}, std::move(org)});
  }
  return all;
}

}  // namespace

std::vector<Flag> signing_flags() {
  return {
      {.name = "--sign-key",
       .member = "sign_key",
       .what = "Sign each task with this key (muster releases keygen) before the server sees it; "
               "without it tasks are unsigned, and agents may refuse them",
       .kind = Flag::Kind::file},
      {.name = "--program",
       .member = "program",
       .what = "With --sign-key: the test's program, whose digest is signed",
       .kind = Flag::Kind::file},
      {"--expires", "expires",
       "With --sign-key: until when it may start, such as 2027-01-31T00:00:00Z (--ttl by default)"},
  };
}

Result<std::string> signed_request(Session& session, const FlagValues& values, Rng& rng,
                                   Instant now) {
  const crypto::SigningKey key(TRY(read_key(values)));
  const Variables variables = TRY(salted_variables(values, rng));
  model::WorkOrder order = TRY(order_of(values, variables, now));
  JsonWriter json;
  json.begin_object();
  values.write_members(json, left_out);
  json.member("execution_timeout", order.execution_timeout_seconds);
  if (!order.binary_name.empty()) json.member("binary_name", order.binary_name);
  if (!variables.empty()) {
    json.key("env_vars").begin_object();
    for (const auto& [name, value] : variables) json.member(name, value);
    json.end_object();
  }
  const std::vector<Signed> agents = TRY(agents_of(session, values));
  json.key("agent_ids").begin_array();
  for (const Signed& each : agents) json.value(each.agent);
  json.end_array().key("orders").begin_array();
  for (const Signed& each : agents) {
    order.id = model::make_order_id(rng);
    order.agent = each.agent;
    order.org = each.org;
    const model::SignedOrder sealed = model::sign_order(order, key);
    json.begin_object()
        .member("order", sealed.text)
        .member("signature", to_hex(sealed.signature))
        .member("public_key", to_hex(sealed.signer))
        .end_object();
  }
  json.end_array().end_object();
  return json.take();
}

}  // namespace muster::ctl
