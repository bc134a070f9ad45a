#include "core/config/secrets.h"

#include <algorithm>

#include "core/base/one_line.h"
#include "core/base/read_file.h"
#include "core/base/strings.h"

namespace sluice {
namespace {

constexpr size_t kLeast = 4;
// Messages show at most 80 bytes of a value, and may cut a character off (text.h).
constexpr size_t kCut = 72;

void Replace(std::string& text, std::string_view from) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += kHidden.size()) {
    text.replace(at, from.size(), kHidden);
  }
}

}  // namespace

Result<std::string> ReadSecretFile(const std::string& path) {
  Result<std::string> text = ReadRegularFile(path, kMaxSecretBytes);
  if (!text) {
    text.error().detail = StrCat({"secret file ", text.error().detail});
    return text;
  }
  if (text->ends_with('\n')) text->pop_back();
  if (text->ends_with('\r')) text->pop_back();
  return text;
}

std::vector<std::string> SecretFilesIn(std::string_view text) {
  constexpr std::string_view kBegin = "${file:";
  std::vector<std::string> files;
  for (size_t at = 0; (at = text.find(kBegin, at)) != std::string_view::npos;) {
    at += kBegin.size();
    const size_t end = text.find_first_of("}\n", at);
    if (end == std::string_view::npos) break;
    if (end > at && text[end] == '}') files.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return files;
}

std::string WithoutSecrets(std::string text, const std::vector<std::string>& secrets) {
  std::vector<std::string> all;
  for (const std::string& secret : secrets) {
    if (secret.size() < kLeast) continue;
    all.push_back(secret);
    // As it stands in a message.
    all.push_back(OneLine(secret));
    if (secret.size() > kCut) all.push_back(OneLine(secret).substr(0, kCut));
  }
  // One may be part of another.
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
  for (const std::string& each : all) Replace(text, each);
  return text;
}

}  // namespace sluice
