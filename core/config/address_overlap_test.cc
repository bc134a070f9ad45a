#include "core/config/address_overlap.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(AddressOverlap, SameAddress) {
  AddressOverlap addresses;
  EXPECT_EQ(addresses.Next("127.0.0.1:80", "a"), std::nullopt);
  EXPECT_EQ(addresses.Next("127.0.0.1:81", "b"), std::nullopt);
  EXPECT_EQ(addresses.Next("127.0.0.2:80", "c"), std::nullopt);
  EXPECT_EQ(addresses.Next("127.0.0.1:80", "d"), "it is that of a");
  EXPECT_EQ(addresses.Next("unix:/x", "e"), std::nullopt);
  EXPECT_EQ(addresses.Next("unix:/x", "f"), "it is that of e");
}

TEST(AddressOverlap, SpellingDoesNotMatter) {
  AddressOverlap addresses;
  EXPECT_EQ(addresses.Next("[::1]:80", "a"), std::nullopt);
  EXPECT_EQ(addresses.Next("[0:0:0:0:0:0:0:1]:80", "b"), "it is that of a");
}

TEST(AddressOverlap, WildcardTakesThePortOfItsFamily) {
  AddressOverlap first;
  EXPECT_EQ(first.Next("0.0.0.0:80", "a"), std::nullopt);
  EXPECT_EQ(first.Next("127.0.0.1:80", "b"), "a has all addresses of port 80");
  EXPECT_EQ(first.Next("[::]:80", "c"), std::nullopt);
  EXPECT_EQ(first.Next("[::1]:80", "d"), "c has all addresses of port 80");
  AddressOverlap second;
  EXPECT_EQ(second.Next("127.0.0.1:80", "a"), std::nullopt);
  EXPECT_EQ(second.Next("0.0.0.0:80", "b"), "a has an address of port 80");
}

TEST(AddressOverlap, AnyFreePortIsNeverTheSame) {
  AddressOverlap addresses;
  EXPECT_EQ(addresses.Next("127.0.0.1:0", "a"), std::nullopt);
  EXPECT_EQ(addresses.Next("127.0.0.1:0", "b"), std::nullopt);
  EXPECT_EQ(addresses.Next("0.0.0.0:0", "c"), std::nullopt);
}

TEST(AddressOverlap, BrokenAddressesAreNotItsBusiness) {
  AddressOverlap addresses;
  EXPECT_EQ(addresses.Next("nonsense", "a"), std::nullopt);
  EXPECT_EQ(addresses.Next("nonsense", "b"), std::nullopt);
}

}  // namespace
}  // namespace sluice
