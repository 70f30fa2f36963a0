// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/image_store.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>

#include "agent/bounds.h"
#include "agent/collectors/texts.h"
#include "agent/collectors/tree.h"
#include "base/json_read.h"
#include "crypto/sha256.h"
#include "model/image.h"

namespace muster::agent {

namespace {

namespace fs = std::filesystem;

/// What may stand in a path as the name of a layer: hexadecimal digits, and nothing that leads
/// elsewhere.
bool is_layer_name(std::string_view text) {
  constexpr std::size_t bytes_max = 64;
  return !text.empty() && text.size() <= bytes_max &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); });
}

/// Images of all engines, each once.
class Collection {
 public:
  /// Under a name that a registry could know; those that go by digest count only without others.
  void add(const std::string& digest, const std::vector<std::string>& names,
           std::vector<fs::path> layers) {
    std::set<std::string> tags;
    std::set<std::string> digests;
    for (const std::string& name : names) {
      const auto reference = model::parse_image_reference(name);
      if (!reference) continue;
      (reference->tag.empty() ? digests : tags).insert(reference->text());
    }
    const std::set<std::string>& chosen = tags.empty() ? digests : tags;
    const bool usable = model::is_image_digest(digest) && !chosen.empty();
    const bool room = images_.contains(digest) || images_.size() < bounds::images;
    if (!usable || !room) {
      ++left_out_;
      return;
    }
    if (layers.size() > bounds::image_layers) layers.clear();
    Entry& entry = images_[digest];
    entry.references.insert(chosen.begin(), chosen.end());
    if (entry.layers.empty()) entry.layers = std::move(layers);
  }

  LocalImages take() {
    LocalImages list;
    list.left_out = left_out_;
    for (auto& [digest, entry] : images_) {
      list.images.push_back(
          {digest, {entry.references.begin(), entry.references.end()}, std::move(entry.layers)});
    }
    return list;
  }

 private:
  struct Entry {
    std::set<std::string> references;
    std::vector<fs::path> layers;
  };
  std::map<std::string, Entry> images_;
  std::size_t left_out_ = 0;
};

/// One engine's files below the root.
class Store {
 public:
  Store(Tree& tree, fs::path root, std::string folder)
      : tree_(tree), root_(std::move(root)), folder_(std::move(folder)) {}

  bool has(const std::string& name) const { return tree_.exists(folder_ + "/" + name); }
  std::optional<std::string> read(const std::string& name) const {
    return tree_.read(folder_ + "/" + name, bounds::image_store_bytes, Links::within);
  }
  fs::path path_of(const std::string& name) const { return root_ / folder_ / name; }

 private:
  Tree& tree_;
  fs::path root_;
  std::string folder_;
};

// --- containers/storage: Podman, CRI-O, Buildah ----------------------------------------------

/// The parent of each layer; false when a list of them cannot be read.
bool read_parents(const Store& store, std::unordered_map<std::string, std::string>& parents) {
  for (const char* name : {"overlay-layers/layers.json", "overlay-layers/volatile-layers.json"}) {
    if (!store.has(name)) continue;
    const auto text = store.read(name);
    JsonDocument document;
    const auto list = document.parse(text.value_or(""));
    if (!list.ok() || !list->is_array()) return false;
    list->for_each([&](const Json& layer) {
      parents.emplace(text_of(layer, "id"), text_of(layer, "parent"));
    });
  }
  return true;
}

bool list_containers_storage(const Store& store, Collection& images) {
  constexpr const char* list_file = "overlay-images/images.json";
  if (!store.has(list_file)) return true;
  std::unordered_map<std::string, std::string> parents;
  const auto text = store.read(list_file);
  if (!text || !read_parents(store, parents)) return false;
  JsonDocument document;
  const auto list = document.parse(*text);
  if (!list.ok() || !list->is_array()) return false;
  list->for_each([&](const Json& image) {
    std::vector<fs::path> layers;
    std::string layer(text_of(image, "layer"));
    // Bounded, for a list that goes in a circle.
    while (is_layer_name(layer) && layers.size() <= bounds::image_layers) {
      layers.push_back(store.path_of("overlay/" + layer + "/diff"));
      const auto parent = parents.find(layer);
      layer = parent == parents.end() ? "?" : parent->second;
    }
    if (!layer.empty()) layers.clear();  // the chain does not end
    std::vector<std::string> names;
    if (const auto given = image.find("names")) {
      given->for_each([&](const Json& name) { names.emplace_back(name.string().value_or("")); });
    }
    images.add("sha256:" + std::string(text_of(image, "id")), names, std::move(layers));
  });
  return true;
}

// --- Docker ----------------------------------------------------------------------------------

/// The layers of a configuration: the chain of digests of their contents names the folder that
/// Docker has each in (image-spec, "Layer ChainID").
std::vector<fs::path> docker_layers(const Store& store, const std::string& hex) {
  const auto text = store.read("image/overlay2/imagedb/content/sha256/" + hex);
  JsonDocument document;
  const auto config = document.parse(text.value_or(""));
  const auto rootfs = config.ok() ? config->find("rootfs") : std::nullopt;
  const auto diffs = rootfs ? rootfs->find("diff_ids") : std::nullopt;
  std::vector<fs::path> layers;
  if (!diffs || diffs->size() > bounds::image_layers) return layers;
  std::string chain;
  bool whole = true;
  diffs->for_each([&](const Json& diff) {
    const std::string id(diff.string().value_or(""));
    whole = whole && model::is_image_digest(id);
    if (!whole) return;
    chain = chain.empty() ? id : "sha256:" + crypto::sha256(chain + " " + id).text();
    const std::string folder = "image/overlay2/layerdb/sha256/" + chain.substr(7);
    const std::string cache = store.read(folder + "/cache-id").value_or("");
    whole = is_layer_name(cache);
    layers.insert(layers.begin(), store.path_of("overlay2/" + cache + "/diff"));
  });
  if (!whole) layers.clear();
  return layers;
}

bool list_docker(const Store& store, Collection& images) {
  constexpr const char* list_file = "image/overlay2/repositories.json";
  if (!store.has(list_file)) return true;
  const auto text = store.read(list_file);
  JsonDocument document;
  const auto list = document.parse(text.value_or(""));
  const auto repositories = list.ok() ? list->find("Repositories") : std::nullopt;
  if (!repositories) return false;
  std::map<std::string, std::vector<std::string>> names;
  repositories->for_each_member([&](std::string_view, const Json& references) {
    references.for_each_member([&](std::string_view reference, const Json& digest) {
      names[std::string(digest.string().value_or(""))].emplace_back(reference);
    });
  });
  for (const auto& [digest, references] : names) {
    const bool sound = model::is_image_digest(digest);
    images.add(digest, references,
               sound ? docker_layers(store, digest.substr(7)) : std::vector<fs::path>());
  }
  return true;
}

/// Where Docker keeps all it has, as a path below the root.
std::string docker_folder(Tree& tree) {
  const auto text =
      tree.read("etc/docker/daemon.json", bounds::software_manifest_bytes, Links::within);
  JsonDocument document;
  const auto config = document.parse(text.value_or(""));
  std::string folder = config.ok() ? std::string(text_of(*config, "data-root")) : "";
  while (folder.starts_with('/')) folder.erase(0, 1);
  while (folder.ends_with('/')) folder.pop_back();
  return folder.empty() ? "var/lib/docker" : folder;
}

}  // namespace

std::optional<LocalImages> list_images(const fs::path& root, const std::atomic<bool>& stop) {
  Tree tree(root, stop);
  Collection images;
  const bool read =
      list_containers_storage(Store(tree, root, "var/lib/containers/storage"), images) &&
      list_docker(Store(tree, root, docker_folder(tree)), images);
  if (!read || tree.stopped()) return std::nullopt;
  return images.take();
}

}  // namespace muster::agent
