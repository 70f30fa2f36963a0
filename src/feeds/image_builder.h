// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "model/image.h"

namespace muster::feeds {

/// Puts together what a report says of one image.
class ImageBuilder {
 public:
  model::ImageScan scan;  // all but what the functions below take

  /// What is in several layers, targets or paths is one vulnerability with several places. Without
  /// an id or a package it counts as skipped. `taken` has one place.
  void add(model::ImageVulnerability taken);
  void skip() { ++skipped_; }
  /// The report lists packages, if only some; one without a name is left out.
  void list_packages();
  void add(model::Package package);
  bool empty() const { return found_.empty() && !scan.packages; }

  /// The whole scan; this builder is then as new.
  model::ImageScan finish();

 private:
  using Key = std::tuple<std::string, std::string, std::string>;

  std::map<Key, model::ImageVulnerability> found_;
  std::int64_t skipped_ = 0;
};

/// "redis:6.0.5" and "debian 10.4" of "redis:6.0.5 (debian 10.4)", which is what Trivy calls the
/// result about an image's system; the system is empty in other names.
struct SystemTarget {
  std::string_view image;
  std::string_view os;
};
SystemTarget split_target(std::string_view target);

/// The release that a system's packages are of ("debian:12"), from "debian 12.5".
std::string distro_of_system(std::string_view os);

}  // namespace muster::feeds
