// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "agent/launch.h"
#include "agent/testing/world.h"
#include "crypto/signing.h"

/// A world of builds, for tests of updates.
namespace muster::agent::testing {

inline const crypto::SigningKey& signer() {
  static const crypto::SigningKey key(crypto::SigningKey::Seed{1, 2, 3});
  return key;
}

inline std::string base64_of(const crypto::PublicKey& key) {
  return crypto::to_base64({reinterpret_cast<const char*>(key.data()), key.size()});
}

inline model::Manifest manifest_of(const std::string& version, const std::string& content,
                                   std::int64_t serial = 7) {
  model::Manifest manifest;
  manifest.version = version;
  manifest.os = "linux";
  manifest.arch = "amd64";
  manifest.sha256 = crypto::sha256(content);
  manifest.size = static_cast<std::int64_t>(content.size());
  manifest.serial = serial;
  return manifest;
}

inline FakeServer::Release release_of(const model::Manifest& manifest, std::string content,
                                      const crypto::SigningKey& key = signer()) {
  const std::string text = model::encode_manifest(manifest);
  return {std::move(content), text, to_hex(key.sign(text))};
}

/// What a build does when it is started.
enum class Behaviour { works, crashes, hangs, hears_nobody };

/// A host on which builds run: the launcher, the processes it starts, and whoever starts it again.
struct UpdateWorld : FakeWorld {
  UpdateWorld() {
    Identity enrolled = identity();
    enrolled.update_public_key = base64_of(signer().public_key());
    files.content[Identity::file] = encode_identity(enrolled);
    settings.update_check_seconds = 600;
    settings.update_trial_seconds = 600;
  }

  void publish(const std::string& next, Behaviour does, std::int64_t serial = 7) {
    // Some pieces, and a bit.
    std::string content(static_cast<std::size_t>(piece_bytes) * 2, 'x');
    content += "the program " + next;
    behaviours[crypto::sha256(content)] = does;
    server.release = release_of(manifest_of(next, content, serial), content);
  }

  UpdateRecord record() const {
    const auto text = files.read(UpdateRecord::file);
    return text ? decode_update(*text).value() : UpdateRecord{};
  }

  /// One life of the installed program: it chooses what runs, and that runs for `length` at most.
  /// Throws Crash.
  void live(Duration length) {
    UpdateRecord chosen = record();
    const Launch launch = choose_build(chosen, installed, true);
    if (launch.changed) files.write(UpdateRecord::file, encode_update(chosen));
    version = launch.build ? launch.build->version : installed;
    started.push_back(version);
    Behaviour does = Behaviour::works;
    if (launch.build) {
      const auto facts = files.inspect(launch.build->file());
      ASSERT_TRUE(facts && facts->sha256 == launch.build->sha256) << "a build that is none runs";
      does = behaviours.at(facts->sha256);
    }
    if (does == Behaviour::crashes) return;
    if (does == Behaviour::hangs) {
      rest.steady += std::chrono::seconds(settings.update_trial_seconds) + bounds::watchdog_margin;
      return;
    }
    const bool was_unreachable = server.unreachable;
    server.unreachable = was_unreachable || does == Behaviour::hears_nobody;
    try {
      const auto outcome = run_for(length);
      ASSERT_TRUE(outcome.ok()) << outcome.error().message;
    } catch (...) {
      server.unreachable = was_unreachable;
      throw;
    }
    server.unreachable = was_unreachable;
  }

  /// Lives, each begun anew as a service manager does, until `length` has passed.
  void live_on(Duration length) {
    const Duration until = rest.steady + length;
    for (int lives = 0; rest.steady < until; ++lives) {
      ASSERT_LT(lives, 200) << "it starts again and again";
      rest.steady += std::chrono::seconds(1);
      live(until - rest.steady);
    }
  }

  std::string installed = "1.2.0";
  std::map<crypto::Sha256, Behaviour> behaviours;
  std::vector<std::string> started;
};

inline constexpr Duration day = std::chrono::hours(24);

}  // namespace muster::agent::testing
