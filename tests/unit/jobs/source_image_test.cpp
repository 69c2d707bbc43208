#include "operator/jobs/source_image.hpp"

#include <gtest/gtest.h>

namespace athanor::controller {
namespace {

using Texts = std::vector<std::string>;

TEST(SourceImage, ComesFromAListedRegistryOrPath) {
  const Texts allowed{"registry.example.org:5000/shop/", "ghcr.io/acme/app", "localhost"};
  for (const char* const good : {"registry.example.org:5000/shop/orders:1", "registry.example.org:5000/shop/a/b@sha256:00",
                                 "registry.example.org:5000/shop/orders:1@sha256:00", "ghcr.io/acme/app", "ghcr.io/acme/app:1",
                                 "localhost/revisions:1"}) {
    EXPECT_TRUE(check_source_image(good, allowed)) << good;
  }
  for (const char* const bad :
       {"registry.example.org/shop/orders:1", "registry.example.org:5000/shopping/orders", "registry.example.org:5000/other",
        "registry.example.org:5000.evil.org/shop/orders", "registry.example.org:50001/shop/orders", "ghcr.io/acme/application",
        "ghcr.io/acme", "evil.org/ghcr.io/acme/app", "orders:1", "localhostile/x", "localhost:5000/x",
        "registry.example.org:5000/shop/../other/orders", "ghcr.io/acme/app/../../evil", "ghcr.io//acme/app",
        "ghcr.io/acme/app/./x", "ghcr.io/acme/app:1/x", ""}) {
    const auto refused = check_source_image(bad, allowed);
    EXPECT_FALSE(refused) << bad;
    EXPECT_EQ(refused ? "" : refused.error().context, "spec.source.image.reference");
  }
}

TEST(SourceImage, WithoutARegistryIsDockerHubs) {
  for (const char* const name : {"acme/orders:1", "docker.io/acme/orders", "index.docker.io/acme/orders@sha256:00"}) {
    EXPECT_TRUE(check_source_image(name, {"docker.io/acme"})) << name;
    EXPECT_FALSE(check_source_image(name, {"docker.io/library"})) << name;
  }
  EXPECT_TRUE(check_source_image("postgres:16", {"docker.io/library"}));
  EXPECT_FALSE(check_source_image("postgres:16", {"docker.io/acme"}));
}

TEST(SourceImage, IsRefusedWhereNoneIsListed) {
  EXPECT_NE(check_source_image("ghcr.io/acme/app:1", {}).error().message.find("does not allow images"), std::string::npos);
  EXPECT_FALSE(check_source_image("ghcr.io/acme/app:1", {""}));
  EXPECT_FALSE(check_source_image("ghcr.io/acme/app:1", {"/"}));
}

}  // namespace
}  // namespace athanor::controller
