// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "crypto/sha256.h"

namespace muster::agent::testing {

/// Files of engines' storages below a root, as Podman 4.3 and Docker 24 leave them.
class ImageStores {
 public:
  explicit ImageStores(std::filesystem::path root) : root_(std::move(root)) {}

  std::filesystem::path put(const std::string& path, const std::string& content) const {
    const std::filesystem::path file = root_ / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << content;
    return file;
  }

  /// A layer's folder in containers/storage; its name is 64 times `letter`.
  static std::string podman_layer(char letter) {
    return "var/lib/containers/storage/overlay/" + std::string(64, letter) + "/diff/";
  }
  static std::string id(char letter) { return std::string(64, letter); }

  /// Two images: "app:1" (id dd…) of the layers aa… and, above it, bb…; "base:12" (id ee…) of aa….
  void put_podman() const {
    const std::string folder = "var/lib/containers/storage/";
    put(folder + "overlay-layers/layers.json",
        R"([{"id": ")" + id('a') + R"(", "created": "2024-01-01T00:00:00Z"}, {"id": ")" + id('b') +
            R"(", "parent": ")" + id('a') + R"("}])");
    put(folder + "overlay-images/images.json",
        R"([{"id": ")" + id('e') +
            R"(", "names": ["docker.io/library/base:12", "localhost/base:12"],
            "layer": ")" +
            id('a') + R"("}, {"id": ")" + id('d') +
            R"(", "names": ["localhost:5000/team/app:1"], "layer": ")" + id('b') + R"("},
            {"id": ")" +
            id('f') + R"(", "names": [], "layer": ")" + id('b') + R"("}])");
  }

  /// "web:2" of two layers in Docker's storage below `folder`; gives their folders, lower first.
  std::vector<std::string> put_docker(const std::string& folder = "var/lib/docker") const {
    const std::string first = "sha256:" + id('1');
    const std::string second = "sha256:" + id('2');
    const std::string chain = crypto::sha256(first + " " + second).text();
    const std::string store = folder + "/image/overlay2/";
    put(store + "imagedb/content/sha256/" + id('9'),
        R"({"os": "linux", "rootfs": {"type": "layers", "diff_ids": [")" + first + R"(", ")" +
            second + R"("]}})");
    put(store + "layerdb/sha256/" + id('1') + "/cache-id", "cache1");
    put(store + "layerdb/sha256/" + chain + "/cache-id", "cache2");
    put(store + "repositories.json", R"({"Repositories": {"web": {"web:2": "sha256:)" + id('9') +
                                         R"(", "web@sha256:)" + id('8') + R"(": "sha256:)" +
                                         id('9') + R"("}}})");
    return {folder + "/overlay2/cache1/diff/", folder + "/overlay2/cache2/diff/"};
  }

 private:
  std::filesystem::path root_;
};

}  // namespace muster::agent::testing
