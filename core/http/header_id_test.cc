#include "core/http/header_id.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

TEST(HeaderIdTest, EveryNameIsFoundInEveryCase) {
  for (size_t i = 1; i < kHeaderIdCount; ++i) {
    const auto id = static_cast<HeaderId>(i);
    const std::string name(HeaderName(id));
    std::string upper = name;
    for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    EXPECT_EQ(FindHeaderId(name), id) << name;
    EXPECT_EQ(FindHeaderId(upper), id) << upper;
  }
}

TEST(HeaderIdTest, NamesThatDifferInOneByteAreOthers) {
  for (size_t i = 1; i < kHeaderIdCount; ++i) {
    const std::string name(HeaderName(static_cast<HeaderId>(i)));
    EXPECT_EQ(FindHeaderId(name + "x"), HeaderId::kOther);
    for (size_t at = 0; at < name.size(); ++at) {
      std::string other = name;
      other[at] = '0';
      EXPECT_EQ(FindHeaderId(other), HeaderId::kOther) << other;
    }
  }
  EXPECT_EQ(FindHeaderId(""), HeaderId::kOther);
  EXPECT_EQ(FindHeaderId("x"), HeaderId::kOther);
}

}  // namespace
}  // namespace sluice
