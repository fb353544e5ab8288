#include "wormhole/base/endpoint.hpp"

#include <gtest/gtest.h>

namespace wormhole {
namespace {

TEST(IpAddress, ReadsAndWritesCanonicalText) {
  const std::pair<const char*, const char*> cases[] = {
      {"127.1.0.1", "127.1.0.1"},
      {"::", "::"},
      {"::1", "::1"},
      {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"2001:db8::", "2001:db8::"},
      {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
      {"::ffff:10.0.0.1", "10.0.0.1"},
      {"fe80:0:0:0:0:0:0:1", "fe80::1"},
      {"1:0:2:0:0:0:3:4", "1:0:2::3:4"},
  };
  for (const auto& [in, out] : cases) {
    const auto address = IpAddress::parse(in);
    ASSERT_TRUE(address) << in;
    EXPECT_EQ(address->to_string(), out) << in;
  }
}

TEST(IpAddress, RefusesWhatIsNotAnAddress) {
  for (const char* bad : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.x", ":",
                          ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::1",
                          "1:2:3:4:5:6:7:8::", " 1.2.3.4", "+1.2.3.4"}) {
    EXPECT_FALSE(IpAddress::parse(bad)) << bad;
  }
}

TEST(Endpoint, NeedsBracketsAroundIpv6AndAPort) {
  EXPECT_EQ(Endpoint::parse("[::1]:80")->to_string(), "[::1]:80");
  EXPECT_EQ(Endpoint::parse("10.0.0.1:7700")->to_string(), "10.0.0.1:7700");
  for (const char* bad : {"::1:80", "[10.0.0.1]:80", "10.0.0.1", "10.0.0.1:", "10.0.0.1:65536",
                          "[::1]", "[::1:80", ":80", "10.0.0.1:-1"}) {
    EXPECT_FALSE(Endpoint::parse(bad)) << bad;
  }
}

TEST(Endpoint, EqualEndpointsHashAlike) {
  const std::hash<Endpoint> hash;
  EXPECT_EQ(hash(*Endpoint::parse("10.0.0.1:80")), hash(*Endpoint::parse("[::ffff:10.0.0.1]:80")));
  EXPECT_NE(hash(*Endpoint::parse("10.0.0.1:80")), hash(*Endpoint::parse("10.0.0.1:81")));
}

}  // namespace
}  // namespace wormhole
