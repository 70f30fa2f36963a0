// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/image_store.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "agent/testing/image_stores.h"
#include "base/test_directory.h"

namespace muster::agent {
namespace {

namespace fs = std::filesystem;
using testing::ImageStores;

class ImageStoreTest : public ::testing::Test {
 protected:
  std::optional<LocalImages> list() { return list_images(root_.path(), stop_); }
  fs::path at(const std::string& path) const { return fs::path(root_.path()) / path; }
  /// As layers are listed: without the slash at the end.
  fs::path podman(char letter) const {
    std::string path = ImageStores::podman_layer(letter);
    path.pop_back();
    return at(path);
  }

  TestDirectory root_;
  ImageStores stores_{root_.path()};
  std::atomic<bool> stop_{false};
};

TEST_F(ImageStoreTest, AHostWithoutAnEngineHasNoImages) {
  const auto found = list();
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(found->images.empty());
}

TEST_F(ImageStoreTest, PodmansImagesHaveTheirNamesAndLayers) {
  stores_.put_podman();
  const auto found = list();
  ASSERT_TRUE(found.has_value());
  ASSERT_EQ(found->images.size(), 2U);
  const LocalImage& app = found->images[0];
  EXPECT_EQ(app.digest, "sha256:" + ImageStores::id('d'));
  EXPECT_EQ(app.references, std::vector<std::string>{"localhost:5000/team/app:1"});
  EXPECT_EQ(app.layers, (std::vector<fs::path>{podman('b'), podman('a')}));
  const LocalImage& base = found->images[1];
  EXPECT_EQ(base.references, (std::vector<std::string>{"base:12", "localhost/base:12"}));
  EXPECT_EQ(base.layers, std::vector<fs::path>{podman('a')});
  EXPECT_EQ(found->left_out, 1U) << "the one without a name";
}

TEST_F(ImageStoreTest, DockersLayersAreFoundByTheChainOfTheirContents) {
  const auto folders = stores_.put_docker();
  const auto found = list();
  ASSERT_TRUE(found.has_value());
  ASSERT_EQ(found->images.size(), 1U);
  EXPECT_EQ(found->images[0].digest, "sha256:" + ImageStores::id('9'));
  EXPECT_EQ(found->images[0].references, std::vector<std::string>{"web:2"});
  EXPECT_EQ(found->images[0].layers,
            (std::vector<fs::path>{at("var/lib/docker/overlay2/cache2/diff"),
                                   at("var/lib/docker/overlay2/cache1/diff")}));
}

TEST_F(ImageStoreTest, DockersDataRootIsWhereItsConfigurationSays) {
  stores_.put("etc/docker/daemon.json", R"({"data-root": "/srv/docker/"})");
  stores_.put_docker("srv/docker");
  stores_.put_podman();
  const auto found = list();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->images.size(), 3U) << "both engines'";
}

TEST_F(ImageStoreTest, AListThatCannotBeReadIsNotAnEmptyOne) {
  const fs::path images =
      stores_.put("var/lib/containers/storage/overlay-images/images.json", "[{\"id\": ");
  EXPECT_FALSE(list().has_value());
  fs::remove(images);
  EXPECT_TRUE(list().has_value());
  stores_.put("var/lib/docker/image/overlay2/repositories.json", "[]");
  EXPECT_FALSE(list().has_value());
}

TEST_F(ImageStoreTest, NoNameOfALayerLeadsOutOfTheStore) {
  const std::string folder = "var/lib/containers/storage/";
  const auto image = [&](const std::string& layer) {
    stores_.put(folder + "overlay-images/images.json", R"([{"id": ")" + ImageStores::id('d') +
                                                           R"(", "names": ["a:1"], "layer": ")" +
                                                           layer + R"("}])");
    return list()->images.at(0).layers;
  };
  stores_.put(folder + "overlay-layers/layers.json",
              R"([{"id": "aa", "parent": "bb"}, {"id": "bb", "parent": "aa"}, {"id": "cc"}])");
  EXPECT_EQ(image("cc").size(), 1U);
  EXPECT_TRUE(image("../../../../etc").empty());
  EXPECT_TRUE(image("aa").empty()) << "a chain that goes in a circle";
  EXPECT_TRUE(image("dd").empty()) << "a layer that no list has";
}

TEST_F(ImageStoreTest, NoMoreImagesThanTheLimitAreTold) {
  std::string list_text = "[";
  for (int i = 0; i < 510; ++i) {
    std::string id = std::to_string(i);
    id = std::string(64 - id.size(), '0') + id;
    list_text += (i == 0 ? "" : ", ") + std::string(R"({"id": ")") + id + R"(", "names": ["a:)" +
                 std::to_string(i) + R"("], "layer": "cc"})";
  }
  stores_.put("var/lib/containers/storage/overlay-layers/layers.json", R"([{"id": "cc"}])");
  stores_.put("var/lib/containers/storage/overlay-images/images.json", list_text + "]");
  EXPECT_EQ(list()->images.size(), 500U);
  EXPECT_EQ(list()->left_out, 10U);
}

}  // namespace
}  // namespace muster::agent
