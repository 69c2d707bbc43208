#include "operator/cluster/approval_index.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "migrations/base/clock.hpp"

namespace athanor::controller {
namespace {

const ResourceKey kOrders{"shop", "orders"};
const ResourceKey kCopy{"shop", "copy"};

TEST(ApprovalIndex, KeepsApprovalsByTheResourceTheyApprove) {
  std::vector<std::string> woken;
  ApprovalIndex book([&woken](const ResourceKey& key) { woken.push_back(key.text()); });
  const auto approval = [](const std::string& name, const std::string& created) {
    return KubeObject{{"metadata", {{"name", name}, {"namespace", "shop"}, {"creationTimestamp", created}}},
                      {"spec", {{"migration", "orders"}, {"approvalHash", std::string(64, 'a')}, {"approvedBy", "ann"}}}};
  };
  book.applied({"shop", "second"}, approval("second", "2026-11-21T09:00:00Z"));
  book.applied({"shop", "first"}, approval("first", "2026-11-21T08:00:00Z"));
  ASSERT_EQ(book.approvals(kOrders).size(), 2U);
  EXPECT_EQ(book.approvals(kOrders).front().name, "first");
  EXPECT_EQ(book.approvals(kOrders).front().approved_by, "ann");
  EXPECT_TRUE(book.approvals({"other", "orders"}).empty());
  book.deleted({"shop", "first"});
  EXPECT_EQ(book.approvals(kOrders).size(), 1U);
  EXPECT_EQ(woken, (std::vector<std::string>{"shop/orders", "shop/orders", "shop/orders"}));
}

TEST(ApprovalIndex, ListsApprovalsFromTheOldest) {
  ApprovalIndex book([](const ResourceKey&) {});
  const auto put = [&](const std::string& name, const std::string& created) {
    book.applied({"shop", name}, {{"metadata", {{"name", name}, {"creationTimestamp", created}}},
                                  {"spec", {{"migration", "orders"}, {"approvalHash", "h"}, {"approvedBy", name}}}});
  };
  put("a", "2026-11-21T03:00:00Z");
  put("b", "2026-11-21T02:00:00Z");
  const auto approvals = book.approvals({"shop", "orders"});
  ASSERT_EQ(approvals.size(), 2U);
  EXPECT_EQ(approvals.front().name, "b");
}

TEST(ApprovalIndex, ReadsTheHashOfADecisionStoredUnderItsFormerName) {
  ApprovalIndex book([](const ResourceKey&) {});
  book.applied(
      {"shop", "old"},
      {{"metadata", {{"name", "old"}, {"namespace", "shop"}, {"creationTimestamp", "2026-11-21T09:00:00Z"}}},
       {"spec", {{"migration", "orders"}, {"planHash", std::string(64, 'b')}, {"approvedBy", "ann"}, {"decision", "Reject"}}}});
  ASSERT_EQ(book.approvals(kOrders).size(), 1U);
  EXPECT_EQ(book.approvals(kOrders).front().plan_hash, std::string(64, 'b'));
  EXPECT_TRUE(book.approvals(kOrders).front().rejects);
}

TEST(ApprovalIndex, ForgetsWhatAnApprovalOfTheSameNameApprovedBefore) {
  std::vector<std::string> woken;
  ApprovalIndex book([&woken](const ResourceKey& key) { woken.push_back(key.text()); });
  const auto approval_of = [](const std::string& migration) {
    return KubeObject{{"metadata", {{"name", "go"}, {"namespace", "shop"}, {"creationTimestamp", "2026-11-21T09:00:00Z"}}},
                      {"spec", {{"migration", migration}, {"approvalHash", std::string(64, 'a')}, {"approvedBy", "ann"}}}};
  };
  book.applied({"shop", "go"}, approval_of("orders"));
  book.applied({"shop", "go"}, approval_of("copy"));  // deleted and made again while nobody watched
  EXPECT_TRUE(book.approvals(kOrders).empty());
  EXPECT_EQ(book.approvals(kCopy).size(), 1U);
  EXPECT_EQ(woken, (std::vector<std::string>{"shop/orders", "shop/orders", "shop/copy"}));
  book.deleted({"shop", "go"});
  EXPECT_TRUE(book.approvals(kCopy).empty());
}

TEST(ApprovalIndex, ReadsWhatWasDecidedAndUntilWhen) {
  ApprovalIndex book([](const ResourceKey&) {});
  const auto decided = [&book](const KubeObject& more) {
    KubeObject object{{"metadata", {{"name", "go"}, {"namespace", "shop"}, {"creationTimestamp", "2026-11-21T09:00:00Z"}}},
                      {"spec", {{"migration", "orders"}, {"approvalHash", std::string(64, 'a')}, {"approvedBy", "ann"}}}};
    object["spec"].update(more);
    book.applied({"shop", "go"}, object);
    return book.approvals(kOrders).at(0);
  };
  EXPECT_FALSE(decided({{"decision", "Approve"}}).rejects);
  EXPECT_FALSE(decided({{"decision", "Approve"}}).expires);
  EXPECT_TRUE(decided({{"decision", "Reject"}, {"reason", "not now"}}).rejects);
  EXPECT_EQ(decided({{"decision", "Reject"}, {"reason", "not now"}}).reason, "not now");
  EXPECT_TRUE(decided({{"decision", "Perhaps"}}).rejects) << "it does not approve";
  const auto two = parse_iso8601("2026-11-21T02:00:00Z");
  for (const char* const text : {"2026-11-21T02:00:00Z", "2026-11-21t02:00:00z", "2026-11-21T02:00:00,5Z",
                                 "2026-11-21T02:00:00.999Z", "2026-11-21T03:30:00+01:30", "2026-11-20T20:00:00.5-06:00"}) {
    EXPECT_EQ(decided({{"expiresAt", text}}).expires, two) << text;
  }
  for (const char* const text :
       {"soon", "2026-11-21T02:00:00", "2026-11-21T02:00:00+1:00", "2026-11-21T02:00:00+99:00", "1500-01-01T00:00:00Z", ""}) {
    EXPECT_EQ(decided({{"expiresAt", text}}).expires, WallTime{}) << text << " is long past";
  }
  EXPECT_EQ(decided({{"expiresAt", "9999-12-31T23:59:59Z"}}).expires, WallTime::max()) << "beyond what the clock can count";
  EXPECT_EQ(decided({{"decision", "Reject"}, {"reason", "no\x1b[31m\xe2\x80\xae\nway"}}).reason, "no\\x1b[31m\\u202e\\x0away");
}

}  // namespace
}  // namespace athanor::controller
