#include "operator/kube/host_addresses.hpp"

#include <gtest/gtest.h>

namespace athanor::controller {
namespace {

TEST(HostAddresses, KnowWhichAreLinkLocalInEverySpelling) {
  for (const char* address : {"169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "febf::1", "::ffff:169.254.169.254",
                              "::169.254.169.254", "64:ff9b::a9fe:a9fe", "fd00:ec2::254"}) {
    EXPECT_TRUE(is_link_local(address)) << address;
  }
  for (const char* address : {"127.0.0.1", "10.0.0.1", "169.253.255.255", "169.255.0.0", "::1", "fec0::1", "fd00::1",
                              "2001:db8::1", "::ffff:10.0.0.1", "", "example.org"}) {
    EXPECT_FALSE(is_link_local(address)) << address;
  }
}

TEST(HostAddresses, AreFoundForNamesAndNumbers) {
  EXPECT_EQ(addresses_of("127.0.0.1").value(), std::vector<std::string>{"127.0.0.1"});
  EXPECT_FALSE(addresses_of("localhost").value().empty());
  // The spellings that getaddrinfo takes for an address as well.
  for (const char* host : {"169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518"}) {
    const auto refused = addresses_of(host);
    ASSERT_FALSE(refused.has_value()) << host;
    EXPECT_EQ(refused.error().retry, RetryClass::Terminal) << host;
  }
  EXPECT_EQ(addresses_of("no-such-host.invalid").error().retry, RetryClass::Transient);
}

}  // namespace
}  // namespace athanor::controller
