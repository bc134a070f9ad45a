#include "core/config/text.h"

#include <algorithm>
#include <numeric>

#include "core/base/strings.h"

namespace sluice {
namespace {

constexpr size_t kMaxShown = 80;
constexpr size_t kMaxWord = 64;

// Optimal string alignment distance: insertions, deletions, changes and swaps of neighbours.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), previous(b.size() + 1), row(b.size() + 1);
  std::iota(previous.begin(), previous.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min(
          {previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(previous);
    previous.swap(row);
  }
  return previous[b.size()];
}

// Other spellings of the same name: Max-Age, maxAge.
std::string Plain(std::string_view word) {
  std::string plain;
  for (const char c : word) {
    if (c != '_' && c != '-' && c != ' ') plain += LowerAscii(c);
  }
  return plain;
}

}  // namespace

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text.substr(0, kMaxShown)) {
    quoted += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  if (text.size() > kMaxShown) {
    // No half of a UTF-8 character.
    while (quoted.size() > 1 && (static_cast<unsigned char>(quoted.back()) & 0xc0) == 0x80) {
      quoted.pop_back();
    }
    if (static_cast<unsigned char>(quoted.back()) >= 0xc0) quoted.pop_back();
    quoted += "...";
  }
  quoted += '"';
  return quoted;
}

std::string JoinAlternatives(const std::vector<std::string>& words) {
  std::string joined;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) joined += i + 1 == words.size() ? " or " : ", ";
    joined += words[i];
  }
  return joined;
}

std::string DidYouMean(std::string_view text, const std::vector<std::string>& words) {
  if (text.empty() || text.size() > kMaxWord) return "";
  const std::string plain = Plain(text);
  const std::string* best = nullptr;
  size_t best_distance = text.size() / 3 + 1;  // further away it is another word, not a slip
  for (const std::string& word : words) {
    if (word.size() > kMaxWord) continue;
    const size_t distance = Plain(word) == plain ? 0 : EditDistance(text, word);
    if (distance < best_distance || (distance == best_distance && best == nullptr)) {
      best = &word;
      best_distance = distance;
    }
  }
  // A word of which nothing would stay is no slip either.
  if (best == nullptr || (best_distance > 0 && best_distance >= text.size())) return "";
  return StrCat({" (did you mean \"", *best, "\"?)"});
}

}  // namespace sluice
