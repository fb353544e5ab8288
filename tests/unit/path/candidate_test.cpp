#include "wormhole/path/candidate.hpp"

#include <gtest/gtest.h>

namespace wormhole {
namespace {

Endpoint at(std::string_view address, std::uint16_t port = 40000) {
  return {IpAddress::parse(address).value(), port};
}

TEST(Candidate, PublicAddressesMayBe) {
  for (const char* address :
       {"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
        "192.167.255.255", "192.169.0.0", "223.255.255.255", "2000::1", "2001:db8::1",
        "3fff:ffff::1"}) {
    EXPECT_TRUE(may_be_candidate(at(address))) << address;
  }
}

TEST(Candidate, EveryOtherRangeIsRefused) {
  for (const char* address : {"0.0.0.0",
                              "0.255.255.255",  // this network
                              "127.0.0.1",
                              "127.255.255.255",  // loopback
                              "169.254.0.0",
                              "169.254.255.255",  // link-local
                              "10.0.0.0",
                              "10.255.255.255",  // private use
                              "172.16.0.0",
                              "172.31.255.255",  //
                              "192.168.0.0",
                              "192.168.255.255",  //
                              "100.64.0.0",
                              "100.127.255.255",  // inside of carriers
                              "224.0.0.1",
                              "239.255.255.255",  // multicast
                              "240.0.0.0",
                              "255.255.255.255",  // reserved, broadcast
                              "::",
                              "::1",
                              "fe80::1",
                              "febf::1",  // unspecified, loopback, link-local
                              "fc00::1",
                              "fdff::1",  // unique local
                              "ff02::1",
                              "ff0e::1",           // multicast
                              "64:ff9b::1.2.3.4",  // NAT64, when nobody made it canonical
                              "4000::1",
                              "1fff::1",
                              "::1.2.3.4"}) {  // not allocated
    EXPECT_FALSE(may_be_candidate(at(address))) << address;
  }
}

TEST(Candidate, SystemPortsAreRefused) {
  for (const char* address : {"9.9.9.9", "2001:db8::1"}) {
    EXPECT_FALSE(may_be_candidate(at(address, 0)));
    EXPECT_FALSE(may_be_candidate(at(address, 53)));
    EXPECT_FALSE(may_be_candidate(at(address, 1023)));
    EXPECT_TRUE(may_be_candidate(at(address, 1024)));
    EXPECT_TRUE(may_be_candidate(at(address, 65535)));
  }
}

TEST(Candidate, BothFormsOfIpv4InIpv6BecomeIpv4) {
  EXPECT_EQ(canonical(at("64:ff9b::9.8.7.6", 4242)), at("9.8.7.6", 4242));
  EXPECT_EQ(canonical(at("::ffff:9.8.7.6", 4242)), at("9.8.7.6", 4242));
  EXPECT_TRUE(canonical(at("64:ff9b::9.8.7.6")).address.is_v4());
}

TEST(Candidate, WhatIsHiddenInIpv6IsRefusedToo) {
  for (const char* address :
       {"64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b::224.0.0.1",
        "::ffff:127.0.0.1", "::ffff:192.168.1.1", "::ffff:0.0.0.0"}) {
    EXPECT_FALSE(may_be_candidate(canonical(at(address)))) << address;
  }
}

TEST(Candidate, OtherAddressesStayAsTheyAre) {
  // 64:ff9b:1::/48 (RFC 8215) is a network's own and says nothing about the public IPv4 address.
  for (const char* address : {"9.8.7.6", "2001:db8::1", "64:ff9b:1::9.8.7.6", "64:ff9b::1:0:0"}) {
    EXPECT_EQ(canonical(at(address)), at(address)) << address;
  }
}

}  // namespace
}  // namespace wormhole
