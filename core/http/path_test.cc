#include "core/http/path.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

// The normal form; "REFUSED"; "-> PATH" for a redirect.
std::string Normal(std::string_view path, const PathOptions& options = {}) {
  Arena arena;
  const Result<NormalPath> once = NormalizePath(path, options, arena);
  if (!once) {
    EXPECT_EQ(once.error().code, Code::kProtocol);
    return "REFUSED";
  }
  const Result<NormalPath> twice = NormalizePath(once->path, options, arena);
  EXPECT_TRUE(twice) << path;
  if (!twice) return "";
  EXPECT_EQ(twice->path.data(), once->path.data()) << path << " is not stable";
  EXPECT_FALSE(twice->redirect);
  return (once->redirect ? "-> " : "") + std::string(once->path);
}

TEST(PathTest, NothingToDoGivesTheSameView) {
  Arena arena;
  for (std::string_view path :
       {"/", "/a/b", "/a/b/", "/.well-known/x", "/a..b/...", "/a//b", "/a?x=/../%zz&y=//", "*", "",
        "/%20%C3%A4", "/a\\b", "/a%2Fb", "/caf\xc3\xa9"}) {
    const Result<NormalPath> normal = NormalizePath(path, {}, arena);
    ASSERT_TRUE(normal) << path;
    EXPECT_EQ(normal->path.data(), path.data()) << path;
    EXPECT_EQ(normal->path.size(), path.size()) << path;
    EXPECT_FALSE(normal->redirect);
  }
}

TEST(PathTest, DotSegments) {
  EXPECT_EQ(Normal("/a/./b"), "/a/b");
  EXPECT_EQ(Normal("/a/../b"), "/b");
  EXPECT_EQ(Normal("/a/b/.."), "/a/");
  EXPECT_EQ(Normal("/a/b/."), "/a/b/");
  EXPECT_EQ(Normal("/.."), "/");
  EXPECT_EQ(Normal("/../../etc/passwd"), "/etc/passwd");
  EXPECT_EQ(Normal("/a/b/c/./../../g"), "/a/g");  // RFC 3986 5.2.4
  EXPECT_EQ(Normal("/a/..?q=/../x"), "/?q=/../x");
  EXPECT_EQ(Normal("/a//../b"), "/a/b");
  EXPECT_EQ(Normal("/a/%2e%2E/b"), "/b");
  EXPECT_EQ(Normal("/a/%2e"), "/a/");
  EXPECT_EQ(Normal("/a/.%2e/.%2e/b"), "/b");
  EXPECT_EQ(Normal("/a/...//b/..c"), "/a/...//b/..c");
}

TEST(PathTest, Escapes) {
  EXPECT_EQ(Normal("/%41%7a%2D%2e%5F%7e%30"), "/Az-._~0");
  EXPECT_EQ(Normal("/%c3%a4%20"), "/%C3%A4%20");
  EXPECT_EQ(Normal("/%2541"), "/%2541");
  EXPECT_EQ(Normal("/a%2fb%5c"), "/a%2Fb%5C");
  EXPECT_EQ(Normal("/a?%41%zz"), "/a?%41%zz");
  for (const char* path : {"/%", "/%4", "/%zz", "/%4g", "/%%34", "/%00", "/a%"}) {
    EXPECT_EQ(Normal(path), "REFUSED") << path;
  }
}

TEST(PathTest, BytesThatNoTargetHolds) {
  for (std::string_view path :
       {std::string_view("/a#b"), std::string_view("/?a#b"), std::string_view("/a b"),
        std::string_view("/a\r\nb"), std::string_view("/a\0b", 4), std::string_view("/a?\x7f"),
        std::string_view("a/b"), std::string_view("?x")}) {
    EXPECT_EQ(Normal(path), "REFUSED") << path;
  }
}

TEST(PathTest, MergeSlashes) {
  PathOptions options;
  options.merge_slashes = true;
  EXPECT_EQ(Normal("//a///b//", options), "/a/b/");
  EXPECT_EQ(Normal("/a//../b", options), "/b");
  EXPECT_EQ(Normal("/a/.//b", options), "/a/b");
  EXPECT_EQ(Normal("/a?x=//", options), "/a?x=//");
  options.normalize = false;
  EXPECT_EQ(Normal("/a//../%41", options), "/a/../%41");
}

TEST(PathTest, EscapedSlashes) {
  PathOptions options;
  options.escaped_slashes = EscapedSlashes::kReject;
  for (const char* path : {"/a%2Fb", "/a%2fb", "/a%5Cb", "/a%5cb", "/a\\b"}) {
    EXPECT_EQ(Normal(path, options), "REFUSED") << path;
  }
  EXPECT_EQ(Normal("/a?x=%2F\\", options), "/a?x=%2F\\");
  options.escaped_slashes = EscapedSlashes::kRedirect;
  EXPECT_EQ(Normal("/a%2Fb", options), "-> /a/b");
  EXPECT_EQ(Normal("/a%2F..%5Cb?%2F", options), "-> /b?%2F");
  EXPECT_EQ(Normal("/a\\..\\b", options), "-> /b");
  EXPECT_EQ(Normal("/a/../b", options), "/b");
}

TEST(PathTest, OffLeavesEscapesAlone) {
  PathOptions options;
  options.normalize = false;
  EXPECT_EQ(Normal("/a/../%41/%zz/%", options), "/a/../%41/%zz/%");
  options.escaped_slashes = EscapedSlashes::kReject;
  EXPECT_EQ(Normal("/a/../%41", options), "/a/../%41");
  EXPECT_EQ(Normal("/%%2f", options), "REFUSED");
}

}  // namespace
}  // namespace sluice
