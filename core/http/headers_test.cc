#include "core/http/headers.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

std::string Text(const Headers& headers) {
  std::string text;
  headers.ForEach([&](const Headers::Entry& entry) {
    text += std::string(entry.name) + "=" + std::string(entry.value) + ";";
  });
  return text;
}

TEST(HeadersTest, GetSetRemove) {
  Arena arena;
  Headers headers(arena);
  headers.Add("Host", "a");
  headers.Add("X-One", "1");
  headers.Add("x-one", "2");
  headers.Add(HeaderId::kAccept, "b");
  EXPECT_EQ(headers.Get(HeaderId::kHost), "a");
  EXPECT_EQ(headers.Get("HOST"), "a");
  EXPECT_EQ(headers.Get("X-ONE"), "1");
  EXPECT_EQ(headers.GetJoined("x-one"), "1, 2");
  EXPECT_EQ(headers.Count("x-one"), 2U);
  EXPECT_EQ(headers.Get(HeaderId::kCookie), std::nullopt);
  headers.Set("x-one", "3");
  EXPECT_EQ(Text(headers), "host=a;X-One=3;accept=b;");
  headers.Set(HeaderId::kHost, "c");
  headers.Set("x-two", "4");
  EXPECT_EQ(Text(headers), "host=c;X-One=3;accept=b;x-two=4;");
  EXPECT_EQ(headers.Remove(HeaderId::kHost), 1U);
  EXPECT_EQ(headers.Remove("X-ONE"), 1U);
  EXPECT_EQ(headers.Remove("x-three"), 0U);
  EXPECT_EQ(Text(headers), "accept=b;x-two=4;");
  EXPECT_EQ(headers.size(), 2U);
  EXPECT_FALSE(headers.Has(HeaderId::kHost));
}

TEST(HeadersTest, TheFirstLineOfAFieldMayGo) {
  Arena arena;
  Headers headers(arena);
  for (const char* value : {"1", "2", "3"}) headers.Add(HeaderId::kCookie, value);
  int seen = 0;
  headers.RemoveIf([&](const Headers::Entry&) { return ++seen == 1; });
  EXPECT_EQ(headers.Get(HeaderId::kCookie), "2");
  EXPECT_EQ(headers.Count(HeaderId::kCookie), 2U);
  headers.SetView(HeaderId::kCookie, "4");
  EXPECT_EQ(Text(headers), "cookie=4;");
}

TEST(HeadersTest, ManyLines) {
  Arena arena;
  Headers headers(arena);
  for (int i = 0; i < 200; ++i) headers.Add("x-" + std::to_string(i), std::to_string(i));
  headers.Add(HeaderId::kHost, "a");
  EXPECT_EQ(headers.size(), 201U);
  EXPECT_EQ(headers.Get("x-137"), "137");
  EXPECT_EQ(headers.Get(HeaderId::kHost), "a");
  headers.Clear();
  EXPECT_TRUE(headers.empty());
  EXPECT_FALSE(headers.Has(HeaderId::kHost));
}

}  // namespace
}  // namespace sluice
