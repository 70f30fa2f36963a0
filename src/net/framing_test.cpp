// SPDX-License-Identifier: Apache-2.0
// What the server makes of the bytes before and around a body, seen from the socket.
#include <fmt/format.h>

#include "net/testing.h"

namespace muster::net {
namespace {

using testing::Answer;
using testing::FakeApplication;
using testing::get;
using testing::Peer;
using testing::post;

class Head : public testing::ServerTest {};
class Body : public testing::ServerTest {};

struct Malformed {
  const char* why;
  std::string bytes;
};

/// Shapes that a lenient reader and a strict one would take differently, or that are plain wrong.
std::vector<Malformed> malformed_requests() {
  const std::string start = "POST /echo HTTP/1.1\r\nHost: h\r\n";
  return {
      {"length and chunked",
       start + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"chunked and length",
       start + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"},
      {"two lengths", start + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345"},
      {"same length twice", start + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n12345"},
      {"list of lengths", start + "Content-Length: 5, 5\r\n\r\n12345"},
      {"negative length", start + "Content-Length: -1\r\n\r\n"},
      {"signed length", start + "Content-Length: +5\r\n\r\n12345"},
      {"hexadecimal length", start + "Content-Length: 0x5\r\n\r\n12345"},
      {"empty length", start + "Content-Length: \r\n\r\n"},
      {"length beyond 64 bits", start + "Content-Length: 18446744073709551616\r\n\r\n"},
      {"unknown coding", start + "Transfer-Encoding: gzip\r\n\r\n"},
      {"chunked is not last", start + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"},
      {"coding before chunked", start + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
      {"chunked twice",
       start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"disguised chunked", start + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
      {"chunked in 1.0", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"folded field", start + "X-A: b\r\n c\r\n\r\n"},
      {"folded with a tab", start + "X-A: b\r\n\tc\r\n\r\n"},
      {"space before colon", start + "Content-Length : 5\r\n\r\n12345"},
      {"no colon", start + "Content-Length\r\n\r\n"},
      {"empty name", start + ": v\r\n\r\n"},
      {"NUL in a value", start + std::string("X-A: b\0c\r\n\r\n", 12)},
      {"NUL in a name", start + std::string("X\0A: b\r\n\r\n", 10)},
      {"NUL in the target", std::string("GET /ec\0ho HTTP/1.1\r\nHost: h\r\n\r\n", 33)},
      {"bare CR in a value", start + "X-A: b\rc\r\n\r\n"},
      {"bare LF in a value", start + "X-A: b\nTransfer-Encoding: chunked\r\n\r\n"},
      {"bare LF line ends", "GET /echo HTTP/1.1\nHost: h\n\n"},
      {"no host", "GET /echo HTTP/1.1\r\n\r\n"},
      {"two hosts", "GET /echo HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n"},
      {"version 2.0", "GET /echo HTTP/2.0\r\nHost: h\r\n\r\n"},
      {"no version", "GET /echo\r\nHost: h\r\n\r\n"},
      {"lower case version", "GET /echo http/1.1\r\nHost: h\r\n\r\n"},
      {"two spaces", "GET  /echo HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"relative target", "GET echo HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"authority target", "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"method with a colon", "GE:T /echo HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"TLS hello", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11)},
      {"chunk size is no number", start + "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc"},
      {"chunk longer than said",
       start + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"},
      {"chunk size of 65 bits", start + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n"},
      {"negative chunk size", start + "Transfer-Encoding: chunked\r\n\r\n-1\r\nabc"},
      {"bare LF after chunk size", start + "Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n"},
      {"endless chunk extension",
       start + "Transfer-Encoding: chunked\r\n\r\n3;" + std::string(20'000, 'e')},
      {"endless trailer",
       start + "Transfer-Encoding: chunked\r\n\r\n0\r\nX-T: " + std::string(20'000, 't')},
  };
}

TEST_F(Head, MalformedOnesGet400AndTheConnectionEnds) {
  start();
  for (const Malformed& one : malformed_requests()) {
    SCOPED_TRACE(one.why);
    Peer peer = connect();
    peer.send(one.bytes);
    const Answer answer = peer.answer();
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.field("Connection"), "close");
    EXPECT_TRUE(peer.closed());
  }
  EXPECT_EQ(application.handled(), 0);
}

TEST_F(Head, NothingAfterAMalformedRequestIsServed) {
  start();
  Peer peer = connect();
  peer.send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"
      "\r\n0\r\n\r\n" +
      get("/echo"));
  EXPECT_EQ(peer.answer().status, 400);
  EXPECT_TRUE(peer.closed());
  EXPECT_EQ(application.admitted(), 0);
}

TEST_F(Head, EmptyLinesBeforeARequestAreSkipped) {
  start();
  Peer peer = connect();
  EXPECT_EQ(peer.request("\r\n\r\n" + get("/echo")).status, 200);
  EXPECT_EQ(peer.send("\r").request("\n" + get("/echo")).status, 200);
}

std::string head_of_size(std::size_t bytes) {
  const std::string bare = get("/echo", "X-Fill: \r\n");
  return get("/echo", "X-Fill: " + std::string(bytes - bare.size(), 'f') + "\r\n");
}

TEST_F(Head, UpToTheLimitIsServedAndOneByteMoreIsNot) {
  start();
  ASSERT_EQ(head_of_size(limits::head_bytes).size(), limits::head_bytes);
  EXPECT_EQ(connect().request(head_of_size(limits::head_bytes)).status, 200);
  Peer over = connect();
  EXPECT_EQ(over.request(head_of_size(limits::head_bytes + 1)).status, 431);
  EXPECT_TRUE(over.closed());
}

TEST_F(Head, ThatNeverEndsIsRefusedAtTheLimit) {
  start();
  Peer peer = connect();
  peer.send("GET /echo HTTP/1.1\r\nX-Fill: ");
  for (int i = 0; i < 20; ++i) peer.send(std::string(1000, 'f'));
  EXPECT_EQ(peer.answer().status, 431);
  EXPECT_EQ(application.admitted(), 0);
}

TEST_F(Head, MayHaveSoManyFieldsAndNotOneMore) {
  start();
  std::string fields;
  for (std::size_t i = 1; i < limits::head_fields; ++i) fields += "X-A: b\r\n";
  EXPECT_EQ(connect().request(get("/echo", fields)).status, 200);
  EXPECT_EQ(connect().request(get("/echo", fields + "X-A: b\r\n")).status, 431);
}

TEST_F(Body, UpToTheRoutesLimitIsServedAndOneByteMoreIsNot) {
  start();
  EXPECT_EQ(connect().request(post("/small", std::string(1000, 'b'))).status, 200);
  Peer over = connect();
  EXPECT_EQ(over.request(post("/small", std::string(1001, 'b'))).status, 413);
  EXPECT_TRUE(over.closed());
}

TEST_F(Body, TooLargeIsRefusedBeforeItIsSent) {
  start();
  Peer peer = connect();
  peer.send("POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n");
  EXPECT_EQ(peer.answer().status, 413);
}

TEST_F(Body, ARefusalReachesAPeerThatGoesOnSending) {
  start();
  Peer peer = connect();
  // More than both socket buffers hold: a server that just closed would reset the answer away.
  peer.send(post("/small", std::string(8'000'000, 'b')));
  EXPECT_EQ(peer.answer().status, 413);
  peer.finish_sending();
  EXPECT_TRUE(peer.closed());
}

TEST_F(Body, SmallOnesOfRefusedRequestsAreDroppedAndTheConnectionStays) {
  start();
  Peer peer = connect();
  EXPECT_EQ(peer.request(post("/refused", std::string(60'000, 'b'))).status, 401);
  peer.send("POST /refused HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345");
  EXPECT_EQ(peer.answer().status, 401);
  EXPECT_EQ(peer.request("67890" + get("/echo")).body, "GET /echo? ");
}

TEST_F(Body, LargeOnesOfRefusedRequestsEndTheConnection) {
  start();
  Peer peer = connect();
  peer.send("POST /refused HTTP/1.1\r\nHost: h\r\nContent-Length: 70000\r\n\r\n");
  const Answer answer = peer.answer();
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.field("Connection"), "close");
  EXPECT_TRUE(peer.closed());
}

TEST_F(Body, IsAskedForOnceTheRequestIsAdmitted) {
  start();
  Peer peer = connect();
  peer.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(peer.answer().status, 100);
  EXPECT_EQ(peer.request("body").body, "POST /echo? body");
}

TEST_F(Body, OfARefusedRequestIsNotAskedFor) {
  start();
  for (const char* path : {"/refused", "/small"}) {
    SCOPED_TRACE(path);
    Peer peer = connect();
    peer.send("POST " + std::string(path) +
              " HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n");
    const Answer answer = peer.answer();
    EXPECT_TRUE(answer.status == 401 || answer.status == 413) << answer.status;
    EXPECT_TRUE(peer.closed());
  }
}

TEST_F(Body, IsNotAskedForIn10OrWhenItIsThere) {
  start();
  EXPECT_EQ(connect().request(post("/echo", "here", "Expect: 100-continue\r\n")).status, 200);
  EXPECT_EQ(connect()
                .request("POST /echo HTTP/1.0\r\nContent-Length: 4\r\n"
                         "Expect: 100-continue\r\n\r\nbody")
                .status,
            200);
}

TEST_F(Body, MayComeInChunksWithExtensionsAndTrailers) {
  start();
  Peer peer = connect();
  const std::string chunked =
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "5;a=b\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nX-Agent: no\r\n\r\n";
  EXPECT_EQ(peer.request(chunked).body, "POST /echo? hello world");
  EXPECT_EQ(application.agent_header(), "");
  peer.send(chunked + get("/echo") + chunked);
  EXPECT_EQ(peer.answer().body, "POST /echo? hello world");
  EXPECT_EQ(peer.answer().body, "GET /echo? ");
  EXPECT_EQ(peer.answer().body, "POST /echo? hello world");
}

TEST_F(Body, InChunksMayArriveByteByByte) {
  start();
  Peer peer = connect();
  const std::string head = "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  // An empty body in chunks, cut anywhere, aborts Beast 1.81 when it is fed carelessly.
  for (const auto& [chunks, body] :
       {std::pair{"3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n", "abc0123456789"},
        {"0\r\n\r\n", ""},
        {"0\r\nX: y\r\n\r\n", ""},
        {"1\r\na\r\n0;e=f\r\n\r\n", "a"}}) {
    SCOPED_TRACE(chunks);
    for (const char c : head + chunks) peer.send(std::string_view(&c, 1));
    EXPECT_EQ(peer.answer().body, "POST /echo? " + std::string(body));
  }
}

TEST_F(Body, InChunksHasTheSameLimit) {
  start();
  const std::string head = "POST /small HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string half = "1f4\r\n" + std::string(500, 'c') + "\r\n";
  EXPECT_EQ(connect().request(head + half + half + "0\r\n\r\n").status, 200);
  Peer over = connect();
  EXPECT_EQ(over.request(head + half + half + "1\r\nc\r\n0\r\n\r\n").status, 413);
  EXPECT_TRUE(over.closed());
  // Refused by what it announces, before it comes.
  EXPECT_EQ(connect().request(head + "fffffffffffffff0\r\n").status, 413);
}

/// A result as agents in the field send it, of somewhat more than `bytes`.
std::string long_result(std::size_t bytes) {
  return R"({"stdout": ")" + std::string(bytes, 'o') + R"(", "exit_code": 101})";
}

TEST_F(Body, LongerThanWhatIsKeptIsShortenedAndNotRefused) {
  start();
  const std::string body = long_result(20 * limits::MiB);
  const std::size_t kept = limits::long_result_text_bytes + body.size() - 20 * limits::MiB;
  const std::string expected = "cut to " + std::to_string(kept) + R"(: ", "exit_code": 101})";
  Peer peer = connect();
  EXPECT_EQ(peer.request(post("/long", body)).body, expected);
  EXPECT_EQ(peer.request(post("/echo", "next")).body, "POST /echo? next") << "the connection stays";
  std::string chunked = "POST /long HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < body.size(); at += limits::MiB) {
    const std::string piece = body.substr(at, limits::MiB);
    chunked += fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
  }
  EXPECT_EQ(connect().request(chunked + "0\r\n\r\n").body, expected);
}

TEST_F(Body, UpToWhatIsKeptIsNotTouched) {
  start();
  const std::string body = long_result(limits::result_body_bytes - 40);
  ASSERT_LE(body.size(), limits::result_body_bytes);
  EXPECT_EQ(connect().request(post("/long", body)).body,
            "whole " + std::to_string(body.size()) + R"(: ", "exit_code": 101})");
}

TEST_F(Body, ThatIsLongBeyondMeasureIsRefused) {
  start();
  const std::string head = "POST /long HTTP/1.1\r\nHost: h\r\n";
  const std::string length = std::to_string(testing::FakeApplication::long_body_max + 1);
  EXPECT_EQ(connect().request(head + "Content-Length: " + length + "\r\n\r\n").status, 413);
  Peer peer = connect();
  peer.send(head + "Transfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "100000\r\n" + std::string(limits::MiB, ' ') + "\r\n";
  for (std::size_t sent = 0; sent <= testing::FakeApplication::long_body_max; sent += limits::MiB) {
    peer.send(chunk);
  }
  EXPECT_EQ(peer.answer().status, 413);
}

TEST_F(Body, OfOneMebibyteArrivesWholeInChunksAndInPieces) {
  start();
  std::string body(1000 * 1000, 'x');
  for (std::size_t i = 0; i < body.size(); i += 7) body[i] = static_cast<char>('a' + i % 26);
  EXPECT_EQ(connect().request(post("/echo", body)).body, "POST /echo? " + body);
  std::string chunked = "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t i = 0; i < body.size(); i += 1000) {
    chunked += "3e8\r\n" + body.substr(i, 1000) + "\r\n";
  }
  EXPECT_EQ(connect().request(chunked + "0\r\n\r\n").body, "POST /echo? " + body);
}

}  // namespace
}  // namespace muster::net
