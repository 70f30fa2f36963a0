// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/test_directory.h"

namespace muster {
namespace {

TEST(ReadFile, GivesAllOfItUpToTheLimit) {
  const TestDirectory directory;
  const std::string path = directory.path() + "/f";
  std::ofstream(path) << std::string("a\0b\n", 4);
  EXPECT_EQ(read_file(path, 4).value(), std::string("a\0b\n", 4));
  const auto refused = read_file(path, 3);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::body_too_large);
  EXPECT_EQ(refused.error().message, path + ": is larger than 3 bytes");
}

TEST(ReadFile, AnEmptyFileIsNoFailure) {
  const TestDirectory directory;
  const std::string path = directory.path() + "/f";
  const std::ofstream made(path);
  EXPECT_EQ(read_file(path, 0).value(), "");
}

TEST(ReadFile, AFailureNamesTheFileAndTheSystemsReason) {
  const TestDirectory directory;
  const auto missing = read_file(directory.path() + "/f", 9);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, Errc::not_found);
  EXPECT_EQ(missing.error().message, directory.path() + "/f: No such file or directory");
}

TEST(ReadFile, ADirectoryIsNoEmptyFile) {
  const TestDirectory directory;
  const auto refused = read_file(directory.path(), 9);
  ASSERT_FALSE(refused.ok()) << "settings in it would else be those of nobody";
  EXPECT_EQ(refused.error().message, directory.path() + ": Is a directory");
}

TEST(ReadFile, APipeIsReadToItsEnd) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const std::string text(10'000, 'x');
  ASSERT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::close(ends[1]);
  const auto read = read_file("/dev/fd/" + std::to_string(ends[0]), text.size());
  ::close(ends[0]);
  EXPECT_EQ(read.value(), text) << "it says no size, and is longer than the first piece";
}

}  // namespace
}  // namespace muster
