#include "tests/docs/reference.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "tests/support/temp_folder.h"

namespace sluice::test {
namespace {

constexpr const char* kPage = SLUICE_SOURCE_DIR "/conf/REFERENCE.md";

// `./dev reference` runs this test with SLUICE_WRITE_REFERENCE set.
TEST(ReferenceTest, IsWhatTheProtosSay) {
  const std::string text = RenderReference(SLUICE_SOURCE_DIR);
  if (std::getenv("SLUICE_WRITE_REFERENCE") != nullptr) std::ofstream(kPage) << text;
  EXPECT_TRUE(ReadWholeFile(kPage) == text)
      << "conf/REFERENCE.md is not what the protos say: ./dev reference writes it anew";
}

TEST(ReferenceTest, SaysTypeDefaultBoundsAndComment) {
  const std::string text = RenderReference(SLUICE_SOURCE_DIR);
  for (const char* line : {
           "| `head` | duration | `10s` | at least `1ms` | From the first byte of a request to the "
           "end of its head; 408. |",
           "| `name` | name |  | written | Stats are labelled with it. |",
           "| `fallback` | `none` (503), `any` (all endpoints), `default` (those with the metadata "
           "of "
           "`default`) | `none` |",
           "`listeners[].routes[].match`",
           "Short form: a value in its place is its `address`.",
           "## Filter cors\n",
           "| `max_size` | size |  | written; at least `1`, at most `1GiB` |",
       }) {
    EXPECT_NE(text.find(line), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace sluice::test
