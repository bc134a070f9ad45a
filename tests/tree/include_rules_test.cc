// Reads every source file of the tree and says which rule of core/README.md it breaks.
#include "tests/tree/include_rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace sluice {
namespace {

namespace fs = std::filesystem;

// No file is longer than this; few are longer than 400.
constexpr size_t kMaxLines = 1000;

struct SourceFile {
  std::string path;  // from the root
  std::vector<std::string> lines;
};

std::vector<SourceFile> ReadTree(const std::vector<std::string>& folders) {
  const fs::path root = SLUICE_SOURCE_DIR;
  std::vector<SourceFile> files;
  for (const std::string& folder : folders) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension();
      if (extension != ".h" && extension != ".cc" && extension != ".proto") continue;
      SourceFile file{fs::relative(entry.path(), root), {}};
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) file.lines.push_back(line);
      files.push_back(std::move(file));
    }
  }
  return files;
}

std::string Broken(const std::string& file, const std::string& line) {
  const std::optional<Include> include = ParseInclude(line);
  if (!include) return "not an include";
  return BrokenRule(file, *include).value_or("");
}

TEST(IncludeRules, ReadsIncludeLines) {
  const auto quoted = ParseInclude("#include \"core/base/result.h\"");
  ASSERT_TRUE(quoted);
  EXPECT_EQ(quoted->path, "core/base/result.h");
  EXPECT_TRUE(quoted->quoted);
  const auto angle = ParseInclude(" #  include <uv.h>  // why");
  ASSERT_TRUE(angle);
  EXPECT_EQ(angle->path, "uv.h");
  EXPECT_FALSE(angle->quoted);
  EXPECT_FALSE(ParseInclude("// #include <uv.h>"));
  EXPECT_FALSE(ParseInclude("#define include"));
  EXPECT_FALSE(ParseInclude("#include \"unfinished"));
}

TEST(IncludeRules, RoomsIncludeOnlyWhatTheirLineSays) {
  EXPECT_EQ(Broken("core/http/http1.cc", "#include \"core/base/buffer.h\""), "");
  EXPECT_EQ(Broken("core/http/http1.cc", "#include \"core/http/codec.h\""), "");
  EXPECT_EQ(Broken("core/http/http1.cc", "#include \"core/net/connection.h\""),
            "core/http may include core/base; not core/net");
  EXPECT_EQ(Broken("core/base/log.cc", "#include \"core/event/loop.h\""),
            "core/base may include nothing of ours; not core/event");
  EXPECT_NE(Broken("core/upstream/pool.cc", "#include \"core/redis/client.h\""), "");
  EXPECT_EQ(Broken("core/filter/context.h", "#include \"core/redis/client.h\""), "");
  EXPECT_NE(Broken("core/filter/chain.cc", "#include \"core/proxy/stream.h\""), "");
  EXPECT_EQ(Broken("core/server/worker.cc", "#include \"core/proxy/stream.h\""), "");
  EXPECT_NE(Broken("core/server/worker.cc", "#include \"filters/cors/cors.h\""), "");
  EXPECT_NE(Broken("core/attic/worker.cc", "#include \"core/base/log.h\""), "");
}

TEST(IncludeRules, FiltersMeetOnlyInTheRegistry) {
  EXPECT_EQ(Broken("filters/cors/cors.cc", "#include \"filters/cors/cors.pb.h\""), "");
  EXPECT_EQ(Broken("filters/cors/cors.cc", "#include \"core/filter/filter.h\""), "");
  EXPECT_EQ(Broken("filters/cors/cors.cc", "#include \"core/upstream/cluster.h\""), "");
  EXPECT_NE(Broken("filters/cors/cors.cc", "#include \"filters/fault/fault.h\""), "");
  EXPECT_NE(Broken("filters/cors/cors.cc", "#include \"core/proxy/stream.h\""), "");
  EXPECT_NE(Broken("filters/cors/cors.cc", "#include \"core/server/worker.h\""), "");
  EXPECT_EQ(Broken("filters/plugin/plugin.cc", "#include \"plugins/sdk/sluice_plugin.h\""), "");
  EXPECT_NE(Broken("filters/plugin/plugin.cc", "#include \"plugins/examples/tag.h\""), "");
}

TEST(IncludeRules, OnlyEventAndNetSeeTheEventLibrary) {
  EXPECT_EQ(Broken("core/event/loop.cc", "#include <uv.h>"), "");
  EXPECT_EQ(Broken("core/net/connection.cc", "#include <uv.h>"), "");
  EXPECT_NE(Broken("core/server/server.cc", "#include <uv.h>"), "");
  EXPECT_NE(Broken("filters/fault/fault.cc", "#include <uv.h>"), "");
}

TEST(IncludeRules, IncludesAreWrittenFromTheRoot) {
  EXPECT_NE(Broken("core/net/dns.cc", "#include \"dns.h\""), "");
  EXPECT_NE(Broken("core/net/dns.cc", "#include \"../base/log.h\""), "");
  EXPECT_NE(Broken("core/net/dns.cc", "#include <core/base/log.h>"), "");
  EXPECT_NE(Broken("core/net/dns.cc", "#include \"tests/support/client.h\""), "");
  EXPECT_EQ(Broken("core/net/dns_test.cc", "#include \"tests/support/client.h\""), "");
}

TEST(IncludeRules, GuardsNameTheFile) {
  EXPECT_EQ(GuardOf("core/net/dns_query.h"), "SLUICE_CORE_NET_DNS_QUERY_H_");
}

TEST(Tree, EveryIncludeIsAllowed) {
  size_t includes = 0;
  for (const SourceFile& file : ReadTree({"core", "filters", "plugins", "tests"})) {
    if (file.path.ends_with(".proto")) continue;
    for (size_t i = 0; i < file.lines.size(); ++i) {
      const std::optional<Include> include = ParseInclude(file.lines[i]);
      if (!include) continue;
      ++includes;
      // The SDK and the plugins stand outside the tree's rules: they are built on their own.
      if (file.path.starts_with("plugins/")) continue;
      const std::optional<std::string> broken = BrokenRule(file.path, *include);
      EXPECT_FALSE(broken) << file.path << ":" << i + 1 << ": includes " << include->path << ": "
                           << *broken;
    }
  }
  EXPECT_GT(includes, 0u) << "no source file was read";
}

TEST(Tree, EveryHeaderHasItsGuard) {
  for (const SourceFile& file : ReadTree({"core", "filters", "tests"})) {
    if (!file.path.ends_with(".h")) continue;
    const std::string guard = GuardOf(file.path);
    EXPECT_NE(std::find(file.lines.begin(), file.lines.end(), "#ifndef " + guard), file.lines.end())
        << file.path << ": has no include guard " << guard;
  }
}

TEST(Tree, NoFileIsTooLong) {
  for (const SourceFile& file : ReadTree({"core", "filters", "plugins", "tests", "perf"})) {
    EXPECT_LE(file.lines.size(), kMaxLines) << file.path << ": split it";
  }
}

TEST(Tree, NamesSayWhatAFileIs) {
  for (const SourceFile& file : ReadTree({"core", "filters", "plugins", "tests", "perf"})) {
    const std::string name = fs::path(file.path).stem();
    for (const char* empty_word : {"impl", "manager", "helper", "util", "utils", "common"}) {
      const std::string word = empty_word;
      EXPECT_FALSE(name == word || name.ends_with("_" + word))
          << file.path << ": name what it does";
    }
  }
}

}  // namespace
}  // namespace sluice
