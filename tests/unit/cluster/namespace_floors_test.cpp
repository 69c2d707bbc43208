// Which policies the labels of a namespace require, beside those of the operator.
#include "operator/cluster/namespace_floors.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace athanor::controller {
namespace {

const ResourceKey kShop{"", "shop"};

KubeObject namespace_with(const KubeObject& labels) {
  return {{"metadata", {{"name", "shop"}, {"labels", labels}}}};
}

class NamespaceFloorsTest : public testing::Test {
 protected:
  static PolicyFloor everywhere() {
    PolicyFloor floor;
    floor.approvals = 2;
    floor.backup = BackupWhen::Always;
    return floor;
  }

  std::vector<std::string> changed;
  NamespaceFloors floors{everywhere(), [this](const std::string& name_space) { changed.push_back(name_space); }};
};

TEST_F(NamespaceFloorsTest, RaiseTheOperatorsOwnFloorAndNeverLowerIt) {
  floors.applied(kShop, namespace_with({{"athanor.dev/minimum-approval", "Always"}, {"athanor.dev/minimum-backup", "Never"}}));
  const PolicyFloor floor = floors.of("shop");
  EXPECT_EQ(floor.approval, ApprovalPolicy::Always);
  EXPECT_EQ(floor.approvals, 2);
  EXPECT_EQ(floor.backup, BackupWhen::Always);
  EXPECT_EQ(floors.of("elsewhere"), everywhere());
}

TEST_F(NamespaceFloorsTest, EndWithTheLabelsAndWithTheNamespace) {
  const KubeObject labelled = namespace_with({{"athanor.dev/minimum-approval", "Always"}});
  floors.applied(kShop, labelled);
  floors.applied(kShop, namespace_with(KubeObject::object()));
  EXPECT_EQ(floors.of("shop"), everywhere());
  EXPECT_EQ(changed.size(), 2U);
  floors.applied(kShop, labelled);
  floors.deleted(kShop);
  EXPECT_EQ(floors.of("shop"), everywhere());
}

}  // namespace
}  // namespace athanor::controller
