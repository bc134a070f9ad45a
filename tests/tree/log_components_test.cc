// Reads the product's sources: what they log under is what an operator can change the level of.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "core/base/log.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

TEST(LogComponents, AreThoseThatLog) {
  // The first text of a call, up to the end of its statement: the component.
  const std::regex call(R"re(\bLog\([^";]*"([a-z_]+)",)re");
  std::set<std::string> logging;
  for (const char* folder : {"core", "filters"}) {
    for (const auto& entry :
         fs::recursive_directory_iterator(fs::path(SLUICE_SOURCE_DIR) / folder)) {
      const std::string path = entry.path();
      if (!path.ends_with(".cc") || path.ends_with("_test.cc")) continue;
      std::ostringstream text;
      text << std::ifstream(path).rdbuf();
      const std::string source = text.str();
      for (std::sregex_iterator found(source.begin(), source.end(), call), end; found != end;
           ++found) {
        logging.insert((*found)[1]);
      }
    }
  }
  EXPECT_THAT(logging, testing::ElementsAreArray(LogComponents()));
}

}  // namespace
}  // namespace sluice
