// SPDX-License-Identifier: Apache-2.0
#include "agent/surveys.h"

#include <poll.h>

#include <gtest/gtest.h>

#include "agent/testing/fakes.h"

namespace muster::agent {
namespace {

Sight look(SurveyThread& surveys, const Look& order) {
  surveys.begin(order);
  pollfd ended = {surveys.ended_fd(), POLLIN, 0};
  EXPECT_EQ(poll(&ended, 1, 60'000), 1);
  return surveys.take().value();
}

TEST(SurveyThread, WhatTheHostIsShortOfFailsTheLookAndNotTheAgent) {
  testing::FakeHost host;
  SurveyThread surveys(host);
  host.short_of = "cannot make a pipe";
  const Sight software = look(surveys, SoftwareOrder{});
  const auto& survey = std::get<Result<Survey>>(software);
  ASSERT_FALSE(survey.ok());
  EXPECT_NE(survey.error().message.find("cannot make a pipe"), std::string::npos);
  const Sight images = look(surveys, ImageOrder{});
  EXPECT_FALSE(std::get<std::optional<ImageSight>>(images).has_value());
  host.short_of = nullptr;
  const Sight again = look(surveys, SoftwareOrder{});
  EXPECT_TRUE(std::get<Result<Survey>>(again).ok());
}

}  // namespace
}  // namespace muster::agent
