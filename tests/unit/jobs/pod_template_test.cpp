#include "operator/jobs/pod_template.hpp"

#include <gtest/gtest.h>

namespace athanor::controller {
namespace {

std::string laid(const char* given, const char* ours) {
  return lay_over(KubeObject::parse(given), KubeObject::parse(ours)).dump();
}

TEST(PodTemplate, WinsMemberByMember) {
  EXPECT_EQ(laid(R"({"a": {"x": 1}, "n": null})", R"({"a": {"x": 2, "y": 3}, "b": 4, "n": 5})"),
            R"({"a":{"x":1,"y":3},"b":4,"n":5})");
}

TEST(PodTemplate, JoinsContainersByNameAndTakesOtherListsWhole) {
  EXPECT_EQ(laid(R"({"containers": [{"name": "a", "image": "mine"}], "tolerations": [1]})",
                 R"({"containers": [{"name": "a", "image": "yours", "tty": true}, {"name": "b"}], "tolerations": [2]})"),
            R"({"containers":[{"image":"mine","name":"a","tty":true},{"name":"b"}],"tolerations":[1]})");
}

TEST(PodTemplate, TakesVariablesVolumesAndMountsWhole) {
  EXPECT_EQ(laid(R"({"env": [{"name": "A", "value": "1"}]})",
                 R"({"env": [{"name": "A", "valueFrom": {}}, {"name": "B", "value": "2"}]})"),
            R"({"env":[{"name":"A","value":"1"},{"name":"B","value":"2"}]})");
  EXPECT_EQ(laid(R"({"volumeMounts": [{"name": "mine", "mountPath": "/m"}]})",
                 R"({"volumeMounts": [{"name": "ours", "mountPath": "/m"}, {"name": "ours", "mountPath": "/n"}]})"),
            R"({"volumeMounts":[{"mountPath":"/m","name":"mine"},{"mountPath":"/n","name":"ours"}]})");
}

TEST(PodTemplate, ThatBringsACommandGetsNoArgumentsOfOurs) {
  EXPECT_EQ(laid(R"({"containers": [{"name": "a", "command": ["wrap"]}]})",
                 R"({"containers": [{"name": "a", "command": ["athanor"], "args": ["upgrade"]}]})"),
            R"({"containers":[{"command":["wrap"],"name":"a"}]})");
}

TEST(PodTemplate, ThatIsEmptyChangesNothing) {
  EXPECT_EQ(laid("{}", R"({"a":1})"), R"({"a":1})");
  EXPECT_EQ(laid("null", R"({"a":1})"), R"({"a":1})");
}

}  // namespace
}  // namespace athanor::controller
