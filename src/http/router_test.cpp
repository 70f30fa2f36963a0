// SPDX-License-Identifier: Apache-2.0
#include "http/router.h"

#include <gtest/gtest.h>

#include "http/response.h"

namespace muster::http {
namespace {

Router small_router() {
  Router router;
  router.add(Method::get, "/api/tasks", 0);
  router.add(Method::post, "/api/tasks", 1);
  router.add(Method::get, "/api/tasks/:id", 2);
  router.add(Method::del, "/api/tasks/:id", 3);
  router.add(Method::get, "/api/tasks/latest", 4);
  router.add(Method::get, "/api/:kind/:id/results", 5);
  router.add(Method::get, "/", 6);
  return router;
}

std::string found(Method method, std::string_view path) {
  const Router router = small_router();
  Params params;
  const Router::Match match = router.match(method, path, params);
  if (match.outcome == Router::Outcome::no_such_path) return "no path";
  if (match.outcome == Router::Outcome::no_such_method) return "no method";
  std::string out = std::to_string(match.row);
  for (std::size_t i = 0; i < params.size(); ++i) out += " " + std::string(params[i]);
  return out;
}

TEST(Router, FindsRowsAndFillsParams) {
  EXPECT_EQ(found(Method::get, "/api/tasks"), "0");
  EXPECT_EQ(found(Method::post, "/api/tasks"), "1");
  EXPECT_EQ(found(Method::get, "/api/tasks/42"), "2 42");
  EXPECT_EQ(found(Method::del, "/api/tasks/a%20b"), "3 a%20b");
  EXPECT_EQ(found(Method::get, "/api/tasks/42/results"), "5 tasks 42");
  EXPECT_EQ(found(Method::get, "/"), "6");
}

TEST(Router, LiteralRowsWinOverPatterns) {
  EXPECT_EQ(found(Method::get, "/api/tasks/latest"), "4");
  EXPECT_EQ(found(Method::del, "/api/tasks/latest"), "3 latest") << "of another method";
}

TEST(Router, OneTrailingSlashIsTolerated) {
  EXPECT_EQ(found(Method::get, "/api/tasks/"), "0");
  EXPECT_EQ(found(Method::get, "/api/tasks/42/"), "2 42");
  EXPECT_EQ(found(Method::get, "/api/tasks//"), "no path");
}

TEST(Router, WhatIsNotThereIsNoPath) {
  for (const std::string_view path :
       {"", "api/tasks", "/api", "/api/task", "/api/tasks/42/43", "/api//tasks", "/API/tasks",
        "/api/tasks/42/results/1", "/api/tasks?x=1", "*"}) {
    EXPECT_EQ(found(Method::get, path), "no path") << path;
  }
}

TEST(Router, KnownPathsWithoutTheMethodAreToldApart) {
  EXPECT_EQ(found(Method::put, "/api/tasks"), "no method");
  EXPECT_EQ(found(Method::other, "/api/tasks/42"), "no method");
}

TEST(Router, AllowedNamesTheMethodsOfAPath) {
  const Router router = small_router();
  EXPECT_EQ(router.allowed("/api/tasks"), "GET, POST");
  EXPECT_EQ(router.allowed("/api/tasks/latest"), "GET, DELETE");
  EXPECT_EQ(router.allowed("/api/nothing"), "");
}

TEST(Status, EveryFailureHasAClientOrServerErrorStatus) {
#define ERRC(name, status)                  \
  EXPECT_EQ(status_of(Errc::name), status); \
  EXPECT_GE(status_of(Errc::name), 400);    \
  EXPECT_LT(status_of(Errc::name), 600);
#include "base/errc.def"
#undef ERRC
  EXPECT_EQ(status_of(Errc::rate_limited), 429);
  EXPECT_EQ(status_of(Errc::misdirected), 421);
}

}  // namespace
}  // namespace muster::http
