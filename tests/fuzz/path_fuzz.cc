// The path normaliser: what it gives is stable, no longer than what it took, keeps the query, and
// has none of what it promises to remove. The first byte chooses the options.
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/check.h"
#include "core/http/path.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice;
  if (size == 0) return 0;
  // A copy, so that the sanitizer sees its end.
  const std::string path(reinterpret_cast<const char*>(data) + 1, size - 1);
  PathOptions options;
  options.normalize = (data[0] & 1) == 0;
  options.merge_slashes = (data[0] & 2) != 0;
  options.escaped_slashes = static_cast<EscapedSlashes>((data[0] >> 2) % 3);
  Arena arena;
  const Result<NormalPath> once = NormalizePath(path, options, arena);
  if (!once) return 0;
  const std::string_view normal = once->path;
  CHECK(normal.size() <= path.size());
  CHECK(normal.empty() == path.empty());
  const Result<NormalPath> twice = NormalizePath(normal, options, arena);
  CHECK(twice && twice->path == normal && !twice->redirect);
  if (path.empty() || path == "*") return 0;
  CHECK(normal[0] == '/');

  const size_t mark = path.find('?');
  const std::string_view query =
      mark == std::string::npos ? std::string_view() : std::string_view(path).substr(mark);
  CHECK(normal.substr(normal.size() - query.size()) == query);
  const std::string only(normal.substr(0, normal.size() - query.size()));
  for (char c : normal) CHECK(static_cast<uint8_t>(c) > 0x20 && c != 0x7f && c != '#');
  if (options.merge_slashes) CHECK(only.find("//") == std::string::npos);
  if (options.normalize) {
    CHECK((only + "/").find("/./") == std::string::npos);
    CHECK((only + "/").find("/../") == std::string::npos);
    CHECK(only.find("%2E") == std::string::npos && only.find("%2e") == std::string::npos);
  }
  if (options.escaped_slashes != EscapedSlashes::kKeep) {
    CHECK(only.find('\\') == std::string::npos);
    for (const char* escape : {"%2F", "%2f", "%5C", "%5c"}) {
      CHECK(only.find(escape) == std::string::npos);
    }
  }
  return 0;
}
