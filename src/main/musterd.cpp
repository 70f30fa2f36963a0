// SPDX-License-Identifier: Apache-2.0
// The server: flags, wiring, signals, exit codes.
#include <csignal>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <optional>

#include <sys/resource.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>

#include "base/config.h"
#include "base/ip_address.h"
#include "base/log.h"
#include "crypto/random.h"
#include "endpoints/wiring.h"
#include "fleet/fleet.h"
#include "fleet/signed_orders.h"
#include "main/certificate_watch.h"
#include "main/console_files.h"
#include "main/feed_keeper.h"
#include "main/lease_keeper.h"
#include "main/machine_use.h"
#include "main/openapi.h"
#include "main/periodic.h"
#include "main/watch_keeper.h"
#include "net/origin.h"
#include "net/server.h"
#include "store/postgres/postgres_connection.h"
#include "store/sqlite/sqlite_connection.h"

namespace muster {
namespace {

constexpr int exit_ok = 0;
constexpr int exit_failure = 1;
constexpr int exit_usage = 2;

/// How late an alert may be evaluated, and an event delivered.
constexpr Duration alerts_every = std::chrono::seconds(5);
constexpr Duration webhooks_every = std::chrono::seconds(2);

struct Flags {
  std::string data;
  std::string listen = "127.0.0.1:8480";
  std::string store = "sqlite";
  std::string config_file;
  std::string server_url;
  std::string secret_file;
  net::TlsFiles tls;
  bool behind_proxy = false;
  std::vector<StartFlag> all;  // as operators are shown them
};

struct Address {
  std::string host;
  std::uint16_t port = 0;
  bool loopback = false;
  bool wildcard = false;  // 0.0.0.0, ::
};

Result<Address> parse_address(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return invalid_field("--listen", "must be ADDRESS:PORT");
  Address address;
  address.host = text.substr(0, colon);
  if (address.host.starts_with('[') && address.host.ends_with(']')) {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  const std::string port = text.substr(colon + 1);
  const bool digits = !port.empty() && port.size() <= 5 &&
                      port.find_first_not_of("0123456789") == std::string::npos;
  const long number = digits ? std::strtol(port.c_str(), nullptr, 10) : -1;
  if (number < 0 || number > 65535) return invalid_field("--listen", "has no valid port");
  address.port = static_cast<std::uint16_t>(number);
  const auto parsed = parse_ip_address(address.host);
  if (!parsed) {
    return invalid_field("--listen", "must be a numeric address and a port: 127.0.0.1:8480");
  }
  address.loopback = address.host.starts_with("127.") || address.host == "::1";
  address.wildcard = *parsed == parse_ip_address("::") || *parsed == parse_ip_address("0.0.0.0");
  return address;
}

std::string own_url(const Address& address, std::uint16_t port, bool tls) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (tls ? "https://" : "http://") + (v6 ? "[" + address.host + "]" : address.host) + ":" +
         std::to_string(port);
}

/// Blocks the signals that the server obeys in every thread that comes later; main waits for them.
sigset_t block_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

/// Watches presence, maintains the server and looks after the certificate, if there is one, until a
/// signal asks to end.
void run_until_signal(const sigset_t& signals, endpoints::Wiring& wiring, const Clock& clock,
                      const Config& config, CertificateWatch* certificate) {
  const Duration maintain_every = std::chrono::seconds(config.presence_flush_seconds);
  const std::int64_t wait_seconds =
      std::min(config.presence_check_seconds, config.presence_flush_seconds);
  Instant maintained = clock.now();
  for (;;) {
    const timespec wait{wait_seconds, 0};
    const int signal = sigtimedwait(&signals, nullptr, &wait);
    if (signal == SIGTERM || signal == SIGINT) return;
    if (certificate != nullptr && signal == SIGHUP) certificate->reload();
    if (certificate != nullptr) certificate->check();
    const Instant now = clock.now();
    wiring.watch(now);
    // The absolute value: a clock that was set back must not put the flush off for as long.
    if (std::chrono::abs(now - maintained) < maintain_every) continue;
    wiring.maintain(now);
    maintained = now;
  }
}

/// Nothing without files.
Result<std::unique_ptr<net::ServerTls>> load_tls(const net::TlsFiles& files, const Clock& clock) {
  if (files.certificate.empty()) return std::unique_ptr<net::ServerTls>();
  return net::ServerTls::load(files, clock);
}

net::ServerOptions server_options(const Address& address, const Config& config,
                                  net::ServerTls* tls) {
  net::ServerOptions options;
  options.address = address.host;
  options.port = address.port;
  options.tls = tls;
  options.trusted_proxies = config.net_trusted_proxies;
  options.proxy_protocol = config.net_proxy_protocol;
  return options;
}

std::unique_ptr<store::Database> open_database(const Flags& flags) {
  if (flags.store == "sqlite") return std::make_unique<store::SqliteDatabase>(flags.data);
  return std::make_unique<store::PostgresDatabase>(flags.store);
}

int usage_error(const Error& error) {
  std::cerr << "musterd: " << error.message << "\n";
  return exit_usage;
}

Periodic::Work alert_work(endpoints::Wiring& wiring, const Clock& clock) {
  return [&](const std::atomic<bool>& stopping) {
    wiring.watch_alerts([&] { return clock.now(); }, [&] { return !stopping; });
  };
}

/// The one way out.
egress::Client way_out(const Config& config, endpoints::FailureLog& failures) {
  return egress::Client(egress::rules_of(config, "musterd/" MUSTER_VERSION),
                        egress::resolve_by_system,
                        [&failures](const std::string& host, const IpAddress& address) {
                          failures.note({LogLevel::warning, "call_refused", {}},
                                        host + " is " + format_ip_address(address));
                        });
}

/// For what fetches or sends a little now and then.
http::Fetch outside(const Config& config, endpoints::FailureLog& failures) {
  const egress::Client client = way_out(config, failures);
  return [client](const http::FetchOrder& order) { return client.fetch(order); };
}

Periodic::Work webhook_work(endpoints::Wiring& wiring, const Clock& clock, const Config& config) {
  return [&wiring, &clock,
          fetch = outside(config, wiring.app.failures)](const std::atomic<bool>& stopping) {
    fleet::WebhookWorld world;
    world.fetch = fetch;
    world.now = [&] { return clock.now(); };
    world.goes_on = [&] { return !stopping; };
    wiring.deliver_events(world);
  };
}

std::string secret_file_of(const Flags& flags) {
  return flags.secret_file.empty() ? flags.data + "/secret" : flags.secret_file;
}

void log_start(Log& log, const Address& address, std::uint16_t port, const std::string& url) {
  log.write(LogLevel::info, "server_started", [&](JsonWriter& fields) {
    fields.member("version", MUSTER_VERSION)
        .member("address", address.host)
        .member("port", port)
        .member("server_url", url);
  });
}

int serve(const Flags& flags, const Address& address, const Config& config) {
  const sigset_t signals = block_signals();
  const SystemClock clock;
  Log log(clock, Log::standard_error());
  crypto::SystemRng rng;

  const auto tls = load_tls(flags.tls, clock);
  if (!tls.ok()) return usage_error(tls.error());
  const auto sources = fleet::FeedSources::read(config);
  if (!sources.ok()) return usage_error(sources.error());
  if (const auto roots = fleet::task_roots(config); !roots.ok()) return usage_error(roots.error());
  const auto oidc = fleet::read_oidc_client(config);
  if (!oidc.ok()) return usage_error(oidc.error());
  const auto lock = store::DirectoryLock::acquire(flags.data);
  if (lock == nullptr) {
    std::cerr << "musterd: another server holds " << flags.data << "\n";
    return exit_usage;
  }
  fleet::Changes changes;  // writes that are under way at the end may still mark some
  fleet::Fleet fleet(open_database(flags), secret_file_of(flags), rng, clock.now(), node_time(),
                     fleet::index_file_in(flags.data));
  // Before anything is done that one of several servers does for all.
  std::optional<LeaseKeeper> lease(std::in_place, fleet.nodes, changes, flags.store,
                                   fleet.store.node(), clock, log);
  endpoints::Wiring wiring(fleet, changes, config, rng, log, flags.data + "/admin.token",
                           clock.now());
  wiring.oidc.set(*oidc, outside(config, wiring.app.failures));
  wiring.face.openapi = openapi_json;
  wiring.face.console = console_files();
  wiring.face.behind_proxy = flags.behind_proxy;
  wiring.face.flags = flags.all;
  std::optional<CertificateWatch> certificate;
  if (*tls) certificate.emplace(**tls, clock, log, wiring.face.certificate_expires_at_seconds);
  net::Server server(wiring.dispatcher, clock, log, server_options(address, config, tls->get()));
  wiring.app.machine_use = [&server, data = flags.data] {
    endpoints::MachineUse use = read_machine_use(data);
    use.transport = server.use();
    return use;
  };
  fleet.store.start_writer();
  std::optional<FeedKeeper> feeds(std::in_place, wiring, *sources,
                                  way_out(config, wiring.app.failures), clock, rng, log);
  std::optional<WatchKeeper> watch(std::in_place, wiring, clock);
  std::optional<Periodic> alerts(std::in_place, alerts_every, alert_work(wiring, clock));
  std::optional<Periodic> webhooks(std::in_place, webhooks_every,
                                   webhook_work(wiring, clock, config));
  server.start();
  // Only now is the port certain that agents are told.
  wiring.open(flags.server_url.empty() ? own_url(address, server.port(), *tls != nullptr)
                                       : flags.server_url);
  log_start(log, address, server.port(), wiring.face.url);
  run_until_signal(signals, wiring, clock, config, certificate ? &*certificate : nullptr);

  log.write(LogLevel::info, "server_draining");
  feeds->stop();
  server.drain();
  feeds.reset();
  watch.reset();
  alerts.reset();
  webhooks.reset();
  wiring.flush_presence();
  wiring.tell_refused_sign_ins(clock.now());
  lease.reset();
  fleet.store.stop_writer();
  log.write(LogLevel::info, "server_stopped");
  return exit_ok;
}

/// Each agent's kept connection is a descriptor: as many as the system lets this process have.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::vector<StartFlag> start_flags(const CLI::App& cli) {
  std::vector<StartFlag> all;
  for (const CLI::Option* option : cli.get_options()) {
    if (option == cli.get_help_ptr() || option == cli.get_version_ptr()) continue;
    const bool takes_none = option->get_expected_max() == 0;
    const std::string fallback = takes_none ? "false" : option->get_default_str();
    all.push_back({option->get_name(), option->count() > 0 ? option->as<std::string>() : fallback,
                   fallback, option->get_description()});
  }
  return all;
}

int run(int argc, char** argv) {
  ::umask(077);  // nothing the server writes is for other users
  raise_descriptor_limit();
  Flags flags;
  CLI::App cli("musterd: the Muster server", "musterd");
  cli.add_option("--data", flags.data, "Directory of the store; created if missing")->required();
  cli.add_option("--listen", flags.listen, "ADDRESS:PORT to listen on")->capture_default_str();
  cli.add_option("--store", flags.store,
                 "Where data is kept: sqlite (in --data) or postgresql://USER@HOST/DATABASE, with "
                 "the password in ~/.pgpass")
      ->check([](const std::string& store) {
        return store == "sqlite" || store::PostgresDatabase::is_address(store)
                   ? ""
                   : "must be sqlite or postgresql://USER@HOST/DATABASE";
      })
      ->capture_default_str();
  cli.add_option("--config", flags.config_file, "Configuration file (TOML)");
  cli.add_option("--server-url", flags.server_url,
                 "Address that agents are told; required with --behind-proxy, and when all "
                 "addresses are listened to");
  cli.add_option("--secret-file", flags.secret_file,
                 "32 octets that seal the secrets in the store (default DATA/secret)");
  auto* certificate = cli.add_option("--tls-cert", flags.tls.certificate,
                                     "Serve HTTPS: PEM file of the certificate and its chain");
  auto* key = cli.add_option("--tls-key", flags.tls.key, "PEM file of the certificate's key");
  certificate->needs(key);
  key->needs(certificate);
  cli.add_flag("--behind-proxy", flags.behind_proxy,
               "Allow plain HTTP off loopback: a proxy in front ends TLS");
  cli.set_version_flag("--version", std::string("musterd ") + MUSTER_VERSION);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& failure) {
    return cli.exit(failure) == 0 ? exit_ok : exit_usage;
  }
  flags.all = start_flags(cli);
  const Result<Address> address = parse_address(flags.listen);
  Result<Config> config = flags.config_file.empty() ? Config{} : read_config(flags.config_file);
  if (config.ok() && flags.store != "sqlite") {
    config->presence_flush_seconds = config->presence_shared_flush_seconds;
  }
  for (const Error* error :
       {address.ok() ? nullptr : &address.error(), config.ok() ? nullptr : &config.error()}) {
    if (error == nullptr) continue;
    std::cerr << "musterd: " << error->message << "\n";
    return exit_usage;
  }
  if (!address->loopback && !flags.behind_proxy && flags.tls.certificate.empty()) {
    std::cerr << "musterd: plain HTTP is served on loopback only; give --tls-cert and --tls-key, or"
                 " put a TLS proxy in front and pass --behind-proxy\n";
    return exit_usage;
  }
  if (flags.server_url.empty() && (address->wildcard || flags.behind_proxy)) {
    // They would be told an address at which they never reach the server, with their enrolment.
    std::cerr << "musterd: agents cannot be told this address; give --server-url, the one at which"
                 " they reach the server\n";
    return exit_usage;
  }
  if (const auto url = net::parse_origin(flags.server_url);
      !flags.server_url.empty() && !url.ok()) {
    std::cerr << "musterd: --server-url: " << url.error().message << "\n";
    return exit_usage;
  }
  return serve(flags, *address, *config);
}

}  // namespace
}  // namespace muster

int main(int argc, char** argv) {
  try {
    return muster::run(argc, argv);
  } catch (const std::exception& failure) {
    std::cerr << "musterd: " << failure.what() << "\n";
    return muster::exit_failure;
  }
}
