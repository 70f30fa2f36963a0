// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace muster::agent {

/// An image that an engine has on this host.
struct LocalImage {
  std::string digest;                         // of its configuration: "sha256:…", never changes
  std::vector<std::string> references;        // sorted, one at least: "nginx:1.25"
  std::vector<std::filesystem::path> layers;  // their folders, the uppermost first; none: not told
};

struct LocalImages {
  std::vector<LocalImage> images;  // by digest, at most bounds::images
  std::size_t left_out = 0;        // without a name, or one too many
};

/// Lists the images of Podman and CRI-O (containers/storage with its overlay driver, below
/// /var/lib/containers/storage) and of Docker (overlay2, below /var/lib/docker or the `data-root`
/// of /etc/docker/daemon.json) from their files below `root`: no engine is asked, started or waited
/// for. Images of users' own engines and those in containerd's store are not seen. Nothing when a
/// list is there but cannot be read: an empty one would say that all images are gone.
std::optional<LocalImages> list_images(const std::filesystem::path& root,
                                       const std::atomic<bool>& stop);

}  // namespace muster::agent
