// Wording that the config's messages share.
#ifndef SLUICE_CORE_CONFIG_TEXT_H_
#define SLUICE_CORE_CONFIG_TEXT_H_

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// `"text"`, without control characters and cut short if long.
std::string Quoted(std::string_view text);

// "a", "a or b", "a, b or c".
std::string JoinAlternatives(const std::vector<std::string>& words);

// ` (did you mean "x"?)` with the word that `text` is most likely a slip of, or "".
std::string DidYouMean(std::string_view text, const std::vector<std::string>& words);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_TEXT_H_
