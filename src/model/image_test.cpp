// SPDX-License-Identifier: Apache-2.0
#include "model/image.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace muster::model {
namespace {

const std::string digest = "sha256:" + std::string(64, 'a');

std::string shown(std::string_view text) {
  const auto reference = parse_image_reference(text);
  if (!reference) return "none";
  const std::string short_form = reference->text();
  EXPECT_EQ(parse_image_reference(short_form), reference) << text;
  return short_form;
}

TEST(ImageReference, TheColonOfAPortIsNoTags) {
  const auto reference = parse_image_reference("localhost:5000/team/app:2.0");
  ASSERT_TRUE(reference);
  EXPECT_EQ(reference->registry, "localhost:5000");
  EXPECT_EQ(reference->repository, "team/app");
  EXPECT_EQ(reference->tag, "2.0");
  EXPECT_EQ(parse_image_reference("localhost:5000/app")->tag, "latest");
  EXPECT_EQ(parse_image_reference("[fd00::1]:5000/app:1")->registry, "[fd00::1]:5000");
}

TEST(ImageReference, OneImageOfDockersHasOneForm) {
  for (const char* text : {"nginx", "nginx:latest", "library/nginx", "docker.io/nginx",
                           "docker.io/library/nginx:latest", "index.docker.io/library/nginx"}) {
    EXPECT_EQ(shown(text), "nginx:latest") << text;
  }
  EXPECT_EQ(shown("docker.io/team/app:1"), "team/app:1");
  EXPECT_EQ(shown("docker.io/a.b/app:1"), "docker.io/a.b/app:1") << "a.b would be a registry";
  EXPECT_EQ(shown("localhost/app:1"), "localhost/app:1");
  EXPECT_EQ(shown("ghcr.io/nginx:1"), "ghcr.io/nginx:1") << "only Docker's has a library";
}

TEST(ImageReference, ADigestNeedsNoTag) {
  EXPECT_EQ(shown("ghcr.io/team/app@" + digest), "ghcr.io/team/app@" + digest);
  EXPECT_EQ(shown("team/app:1.0@" + digest), "team/app:1.0@" + digest);
  EXPECT_EQ(parse_image_reference("app@" + digest)->tag, "");
}

TEST(ImageReference, WhatNamesNoImageIsNone) {
  for (const std::string text :
       {"", "<none>:<none>", "<none>", "app:", "app:.1", ":1", "/app", "app/", "a//b", "App/x",
        "app@sha256:1", "app@sha256:01234", "a.b:x/app", "a.b:/app", "-a.b/app", "app:1:2", "app 1",
        "app\n", "https://ghcr.io/app"}) {
    EXPECT_EQ(shown(text), "none") << text;
  }
  EXPECT_EQ(shown("app:" + std::string(129, '1')), "none");
  EXPECT_EQ(shown(std::string(limits::image_reference_bytes + 1, 'a')), "none");
}

TEST(ImageReference, WhatWasSplitAtTheFirstColonIsWholeAgain) {
  const auto joined = [](std::string_view name, std::string_view tag) {
    const auto reference = join_image_reference(name, tag);
    return reference ? reference->text() : "none";
  };
  EXPECT_EQ(joined("localhost", "5000/team/app:2.0"), "localhost:5000/team/app:2.0");
  EXPECT_EQ(joined("localhost", "5000/team/app"), "localhost:5000/team/app:latest");
  EXPECT_EQ(joined("team/app@sha256", std::string(64, 'a')), "team/app@" + digest);
  EXPECT_EQ(joined("nginx", "1.25"), "nginx:1.25");
  EXPECT_EQ(joined("localhost:5000/team/app", "2.0"), "localhost:5000/team/app:2.0")
      << "split where it should be";
  EXPECT_EQ(joined("nginx", ""), "nginx:latest");
  EXPECT_EQ(joined("nginx:1.25", "1.25"), "nginx:1.25") << "the tag twice";
  EXPECT_EQ(joined("team/app@" + digest, "latest"), "team/app@" + digest);
  EXPECT_EQ(joined("nginx", "<none>"), "nginx:latest");
  EXPECT_EQ(joined("<none>", "<none>"), "none");
}

/// All references that can be put together of some parts, as a person would write them.
template <typename F>
void for_each_reference(F&& each) {
  const std::string ports[] = {"localhost:5000/", "ghcr.io/",         "registry.example:443/",
                               "localhost/",      "[fd00::1]:5000/",  "docker.io/",
                               "10.0.0.1:80/",    "index.docker.io/", ""};
  for (const std::string& registry : ports) {
    for (const char* repository : {"app", "team/app", "a/b/c-d_e.f", "5000/app", "library/app"}) {
      for (const char* tag : {"", ":1", ":v1.2-rc_3", ":5000", ":latest"}) {
        for (const std::string& by : {std::string(), "@" + digest}) {
          each(registry + repository + tag + by);
        }
      }
    }
  }
}

TEST(ImageReference, EveryFormIsReadAndReadsBackAsTheSame) {
  for_each_reference([](const std::string& text) {
    const auto reference = parse_image_reference(text);
    ASSERT_TRUE(reference) << text;
    const std::string short_form = reference->text();
    EXPECT_EQ(parse_image_reference(short_form), reference) << text;
    EXPECT_EQ(parse_image_reference(short_form)->text(), short_form) << "there is one short form";
    EXPECT_EQ(reference->digest.empty(), text.find('@') == std::string::npos) << text;
    EXPECT_EQ(reference->tag.empty(), text.find('@') != std::string::npos &&
                                          text.find(':', text.rfind('/') + 1) > text.find('@'))
        << text;
  });
}

TEST(ImageReference, ASplitAtAnyColonIsTheSameReference) {
  for_each_reference([](const std::string& text) {
    const auto whole = parse_image_reference(text);
    // Colons within an address are not split at: the agents' names have no brackets.
    for (auto at = text.starts_with('[') ? text.find("]:") + 1 : text.find(':');
         at != std::string::npos; at = text.find(':', at + 1)) {
      EXPECT_EQ(join_image_reference(text.substr(0, at), text.substr(at + 1)), whole)
          << text << " at " << at;
    }
  });
}

TEST(ScannerType, NamesTheEcosystemOfItsPackages) {
  EXPECT_EQ(ecosystem_of_scanner_type("debian"), Ecosystem::deb);
  EXPECT_EQ(ecosystem_of_scanner_type("node-pkg"), Ecosystem::npm);
  EXPECT_EQ(ecosystem_of_scanner_type("jar"), Ecosystem::maven);
  EXPECT_EQ(ecosystem_of_scanner_type("deb"), Ecosystem::deb) << "its own name";
  EXPECT_EQ(ecosystem_of_scanner_type("kubernetes"), Ecosystem::unknown);
}

TEST(FixStatus, EveryWordReadsBackAndOthersAreUnknown) {
  for (int i = 0; i <= static_cast<int>(FixStatus::end_of_life); ++i) {
    const auto status = static_cast<FixStatus>(i);
    EXPECT_EQ(parse_fix_status(fix_status_name(status)), status);
  }
  EXPECT_EQ(parse_fix_status("Fixed"), FixStatus::unknown);
  EXPECT_EQ(parse_fix_status(""), FixStatus::unknown);
}

}  // namespace
}  // namespace muster::model
