// SPDX-License-Identifier: Apache-2.0
#include "net/client.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <functional>
#include <thread>

#include "net/blocking_stream.h"
#include "net/testing.h"
#include "net/testing_tls.h"

namespace muster::net {
namespace {

using testing::certificate_files;
using testing::TlsServer;

/// Serves one connection after another with prepared answers, each sent once a request's head and
/// body are there; an empty answer closes without a word. The connection ends with its list.
class ScriptedServer {
 public:
  using Answers = std::vector<std::string>;

  explicit ScriptedServer(std::vector<Answers> connections)
      : listener_(testing::listen_on_loopback()),
        thread_([this, list = std::move(connections)] { run(list); }) {}
  ~ScriptedServer() { thread_.join(); }

  std::string origin() const {
    return "http://127.0.0.1:" + std::to_string(testing::port_of(listener_.get()));
  }
  std::string last_request() {
    const std::lock_guard lock(mutex_);
    return last_request_;
  }

 private:
  void run(const std::vector<Answers>& connections) {
    for (const Answers& answers : connections) {
      const Descriptor peer = testing::accept_one(listener_.get());
      for (const std::string& answer : answers) {
        if (!read_request(peer.get())) break;
        if (::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL) < 0) break;
      }
    }
  }
  bool read_request(int socket) {
    std::string text;
    for (;;) {
      const auto end = text.find("\r\n\r\n");
      const auto field = text.find("Content-Length: ");
      const std::size_t body = field == std::string::npos ? 0 : std::stoul(text.substr(field + 16));
      if (end != std::string::npos && text.size() >= end + 4 + body) break;
      char chunk[4096];
      const auto got = ::recv(socket, chunk, sizeof chunk, 0);
      if (got <= 0) return false;
      text.append(chunk, static_cast<std::size_t>(got));
    }
    const std::lock_guard lock(mutex_);
    last_request_ = text;
    return true;
  }

  std::mutex mutex_;
  std::string last_request_;
  Descriptor listener_;
  std::thread thread_;
};

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

Client client_of(std::string_view origin, ClientOptions options = {}) {
  return Client::create(origin, std::move(options)).value();
}

TEST(Origin, IsSchemeHostAndPort) {
  EXPECT_EQ(client_of("http://127.0.0.1:8480").origin(), "http://127.0.0.1:8480");
  EXPECT_EQ(client_of("http://localhost/").origin(), "http://localhost");
  EXPECT_EQ(client_of("http://[::1]:80").origin(), "http://[::1]");
  EXPECT_EQ(client_of("https://Muster.Example:8443").origin(), "https://muster.example:8443");
  EXPECT_EQ(client_of("https://h:443").origin(), "https://h");
}

TEST(Origin, WithMoreThanThatIsRefused) {
  for (const char* bad : {"",
                          "h",
                          "h:80",
                          "ftp://h",
                          "http://",
                          "http://:80",
                          "https://h/path",
                          "https://h?q",
                          "https://h#f",
                          "https://u@h",
                          "https://u:p@h",
                          "https://h:0",
                          "https://h:65536",
                          "https://h:8x",
                          "https://h:",
                          "https://[::1",
                          "https://[zz]",
                          "https://a b",
                          "https://h\\x",
                          "https://h//"}) {
    SCOPED_TRACE(bad);
    const auto made = Client::create(bad);
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().code, Errc::invalid_field);
  }
}

TEST(Client, RefusesPlainHttpOffLoopback) {
  for (const char* bad :
       {"http://192.0.2.1", "http://example.org", "http://128.0.0.1", "http://[2001:db8::1]",
        "http://localhost.example.org", "http://127.0.0.1.example.org"}) {
    SCOPED_TRACE(bad);
    const auto made = Client::create(bad);
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().message,
              std::string(bad) + ": plain http is for loopback only: use https")
        << "whoever gave it never heard of an origin";
  }
  EXPECT_TRUE(Client::create("https://192.0.2.1").ok());
}

class ClientWithServer : public testing::ServerTest {
 protected:
  std::string origin() const { return "http://127.0.0.1:" + std::to_string(server->port()); }
};

TEST_F(ClientWithServer, KeepsOneConnectionForAllRequests) {
  start();
  Client client = client_of(origin());
  for (int i = 0; i < 50; ++i) {
    const auto answer = client.send({.method = http::Method::post,
                                     .target = "/echo?n=" + std::to_string(i),
                                     .headers = {{"X-Agent", "a"}},
                                     .body = "b"});
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "POST /echo?n=" + std::to_string(i) + " b");
    EXPECT_EQ(answer->header("content-type"), "application/json");
  }
  EXPECT_EQ(server->connections(), 1U);
  EXPECT_EQ(application.agent_header(), "a");
}

TEST_F(ClientWithServer, AnotherHasAConnectionOfItsOwnThatEndsWithIt) {
  start();
  Client client = client_of(origin());
  ASSERT_TRUE(client.send({.target = "/"}).ok());
  {
    Client another = client.another();
    EXPECT_EQ(another.origin(), client.origin());
    ASSERT_TRUE(another.send({.target = "/"}).ok());
    EXPECT_EQ(server->connections(), 2U);
  }
  ASSERT_TRUE(client.send({.target = "/"}).ok()) << "the first one is as it was";
}

TEST_F(ClientWithServer, SendsEveryMethod) {
  start();
  Client client = client_of(origin());
  for (const auto& [method, name] : {std::pair{http::Method::get, "GET"},
                                     {http::Method::post, "POST"},
                                     {http::Method::put, "PUT"},
                                     {http::Method::patch, "PATCH"},
                                     {http::Method::del, "DELETE"}}) {
    EXPECT_EQ(client.send({.method = method, .target = "/echo"})->body,
              std::string(name) + " /echo? ");
  }
}

TEST_F(ClientWithServer, MovesLargeBodiesBothWays) {
  start();
  Client client = client_of(origin());
  const std::string body(1'000'000, 'b');
  EXPECT_EQ(client.send({.method = http::Method::post, .target = "/echo", .body = body})->body,
            "POST /echo? " + body);
  EXPECT_EQ(client.send({.target = "/large"})->body.size(), testing::FakeApplication::large_bytes);
}

TEST_F(ClientWithServer, SeesARefusalThatCameBeforeItsBodyWasTaken) {
  start();
  Client client = client_of(origin());
  const auto refused = client.send(
      {.method = http::Method::post, .target = "/small", .body = std::string(8'000'000, 'b')});
  ASSERT_TRUE(refused.ok()) << refused.error().message;
  EXPECT_EQ(refused->status, 413);
  EXPECT_EQ(client.send({.target = "/echo"})->status, 200);
}

TEST_F(ClientWithServer, RefusesAnOversizeAnswerAndGoesOn) {
  start();
  Client client = client_of(origin(), {.response_bytes_max = 1000});
  const auto large = client.send({.target = "/large"});
  ASSERT_FALSE(large.ok());
  EXPECT_EQ(large.error().code, Errc::unavailable);
  EXPECT_EQ(large.error().message, "oversize answer");
  EXPECT_EQ(client.send({.target = "/echo"})->status, 200);
}

TEST_F(ClientWithServer, GivesUpAfterItsTimeout) {
  start();
  Client client = client_of(origin(), {.request_timeout = Duration(50)});
  const auto answer = client.send({.target = "/slow"});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Errc::unavailable);
  EXPECT_EQ(answer.error().message, "timed out");
}

TEST_F(ClientWithServer, SaysThatNobodyListens) {
  start();
  Client client = client_of(origin());
  server->drain();
  const auto answer = client.send({.target = "/echo"});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Errc::unavailable);
  EXPECT_NE(answer.error().message.find("Connection refused"), std::string::npos);
}

/// An IPv4 address of loopback as getaddrinfo(3) gives it.
struct LoopbackAddress {
  explicit LoopbackAddress(std::uint16_t port) {
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    entry.ai_family = AF_INET;
    entry.ai_addr = reinterpret_cast<sockaddr*>(&address);
    entry.ai_addrlen = sizeof address;
  }
  sockaddr_in address{};
  addrinfo entry{};
};

TEST(Connecting, AnAddressThatNeverAnswersLeavesTimeForTheNext) {
  // A listener whose queue is full drops what more comes, as a router without a way does.
  const Descriptor silent = testing::listen_on_loopback();
  ASSERT_EQ(::listen(silent.get(), 0), 0);
  const LoopbackAddress first(testing::port_of(silent.get()));
  std::vector<Descriptor> waiting;
  for (int i = 0; i < 4; ++i) {
    Descriptor& one = waiting.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    (void)::connect(one.get(), first.entry.ai_addr, first.entry.ai_addrlen);
  }
  const auto after = [](int ms) {
    return std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  };
  const auto alone = connect_to_first({&first.entry}, after(100));
  ASSERT_FALSE(alone.ok());
  EXPECT_EQ(alone.error().message, "connect timed out");

  const Descriptor open = testing::listen_on_loopback();
  const LoopbackAddress second(testing::port_of(open.get()));
  EXPECT_TRUE(connect_to_first({&first.entry, &first.entry, &second.entry}, after(600)).ok());
}

TEST(Client, OpensAStaleConnectionOnceMoreForEveryMethod) {
  // The first connection is closed after its only answer, as an idle timeout does.
  ScriptedServer server({{ok}, {ok, ok}});
  Client client = client_of(server.origin());
  EXPECT_EQ(client.send({.target = "/a"})->body, "ok");
  EXPECT_EQ(client.send({.method = http::Method::post, .target = "/b", .body = "x"})->body, "ok");
  EXPECT_EQ(client.send({.target = "/c"})->body, "ok");
}

TEST(Client, OpensAFreshConnectionOnlyOnce) {
  ScriptedServer server({{""}});
  Client client = client_of(server.origin());
  const auto answer = client.send({.target = "/a"});
  ASSERT_FALSE(answer.ok());
  EXPECT_NE(answer.error().message.find("closed without an answer"), std::string::npos);
}

TEST(Client, DoesNotRepeatARequestWhoseAnswerHadBegun) {
  ScriptedServer server({{ok, "HTTP/1.1 200 OK\r\nContent-Le"}});
  Client client = client_of(server.origin());
  EXPECT_TRUE(client.send({.target = "/a"}).ok());
  const auto cut = client.send({.target = "/b"});
  ASSERT_FALSE(cut.ok());
  EXPECT_EQ(cut.error().message, "answer was cut off");
}

TEST(Client, ReadsEveryWayAnAnswerMayEnd) {
  ScriptedServer server(
      {{"HTTP/1.1 100 Continue\r\n\r\n" + ok,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nuntil the end"}});
  Client client = client_of(server.origin());
  EXPECT_EQ(client.send({.target = "/"})->body, "ok");
  EXPECT_EQ(client.send({.target = "/"})->body, "abcde");
  EXPECT_EQ(client.send({.target = "/"})->status, 204);
  EXPECT_EQ(client.send({.target = "/"})->status, 304);
  EXPECT_EQ(client.send({.target = "/"})->body, "until the end");
}

TEST(Client, RefusesAnswersThatAreCutOffOrNoHttp) {
  for (const char* bad : {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                          "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 abc\r\n\r\n"}) {
    SCOPED_TRACE(bad);
    ScriptedServer server({{bad}});
    Client client = client_of(server.origin());
    const auto answer = client.send({.target = "/"});
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().code, Errc::unavailable);
  }
}

TEST(Client, NeverReusesAConnectionWithBytesThatBelongToNoRequest) {
  ScriptedServer server({{ok + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"}, {ok}});
  Client client = client_of(server.origin());
  EXPECT_EQ(client.send({.target = "/a"})->body, "ok");
  EXPECT_EQ(client.send({.target = "/b"})->body, "ok");
}

TEST(Client, SendsWhatAServerExpects) {
  ScriptedServer server({{ok, ok}});
  Client client = client_of(server.origin(), {.user_agent = "muster/1"});
  ASSERT_TRUE(client.send({.target = "/a"}).ok());
  EXPECT_EQ(server.last_request(), "GET /a HTTP/1.1\r\nHost: " + server.origin().substr(7) +
                                       "\r\nUser-Agent: muster/1\r\n\r\n");
  ASSERT_TRUE(client.send({.method = http::Method::put, .target = "/a"}).ok());
  EXPECT_NE(server.last_request().find("\r\nContent-Length: 0\r\n"), std::string::npos);
}

TEST(Client, RefusesWhatWouldBreakOutOfItsLine) {
  Client client = client_of("http://127.0.0.1:9");
  for (const ClientRequest& bad :
       {ClientRequest{.target = "/a b"}, ClientRequest{.target = "/a\r\nX: y"},
        ClientRequest{.target = "relative"}, ClientRequest{.target = ""},
        ClientRequest{.target = "/a", .headers = {{"X-A", "b\r\nC: d"}}},
        ClientRequest{.target = "/a", .headers = {{"X\n", "b"}}},
        ClientRequest{.target = "/a", .headers = {{"", "b"}}}}) {
    const auto answer = client.send(bad);
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().code, Errc::invalid_field);
  }
}

class ClientOverTls : public ::testing::Test {
 protected:
  static Result<ClientResponse> ask(const TlsServer& server, const std::string& host,
                                    const std::string& ca_file) {
    Client client =
        client_of("https://" + host + ":" + std::to_string(server.port()), {.ca_file = ca_file});
    return client.send({.target = "/"});
  }
};

TEST_F(ClientOverTls, AcceptsACertificateOfItsCaForItsHost) {
  const auto files = certificate_files("good");
  for (const char* host : {"localhost", "127.0.0.1"}) {
    SCOPED_TRACE(host);
    TlsServer server(files, host, 2);
    Client client = client_of("https://" + std::string(host) + ":" + std::to_string(server.port()),
                              {.ca_file = files.ca});
    for (int i = 0; i < 2; ++i) {
      const auto answer = client.send({.target = "/"});
      ASSERT_TRUE(answer.ok()) << answer.error().message;
      EXPECT_EQ(answer->body, "secret");
    }
  }
}

TEST_F(ClientOverTls, AnotherTrustsWhomTheFirstTrustsAlsoWhenThatIsGone) {
  const auto files = certificate_files("another");
  const auto another_of = [&](const TlsServer& server) {
    return client_of("https://localhost:" + std::to_string(server.port()), {.ca_file = files.ca})
        .another();
  };
  TlsServer server(files, "localhost", 1);
  EXPECT_TRUE(another_of(server).send({.target = "/"}).ok());
  TlsServer stranger(certificate_files("stranger"), "localhost", 1);
  EXPECT_FALSE(another_of(stranger).send({.target = "/"}).ok());
}

TEST_F(ClientOverTls, RefusesACertificateForAnotherHost) {
  const auto files = certificate_files("host");
  for (const auto& [named, called] : {std::pair{"other.example", "localhost"},
                                      {"localhost", "127.0.0.1"},
                                      {"127.0.0.2", "127.0.0.1"}}) {
    SCOPED_TRACE(named);
    TlsServer server(files, named, 1);
    const auto answer = ask(server, called, files.ca);
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().code, Errc::unavailable);
    EXPECT_NE(answer.error().message.find("mismatch"), std::string::npos) << answer.error().message;
  }
}

TEST_F(ClientOverTls, RefusesACertificateOfAnotherCa) {
  const auto files = certificate_files("own");
  const auto others = certificate_files("others");
  for (const std::string& trusted : {others.ca, std::string()}) {
    SCOPED_TRACE(trusted);
    TlsServer server(files, "localhost", 1);
    const auto answer = ask(server, "localhost", trusted);
    ASSERT_FALSE(answer.ok());
    EXPECT_NE(answer.error().message.find("certificate: "), std::string::npos)
        << answer.error().message;
  }
}

TEST_F(ClientOverTls, RefusesACaFileThatIsNone) {
  const auto made = Client::create("https://localhost", {.ca_file = "/nonexistent/ca.pem"});
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, Errc::invalid_field);
}

TEST_F(ClientOverTls, SaysWhenTheServerSpeaksPlainHttp) {
  ScriptedServer plain({{"HTTP/1.1 400 Bad Request\r\n\r\n"}});
  // The hello is no request, so the answer never comes: only the connection's end does.
  Client client = client_of("https" + plain.origin().substr(4), {.connect_timeout = Duration(200)});
  const auto answer = client.send({.target = "/"});
  ASSERT_FALSE(answer.ok());
  EXPECT_NE(answer.error().message.find("TLS handshake"), std::string::npos)
      << answer.error().message;
}

}  // namespace
}  // namespace muster::net
