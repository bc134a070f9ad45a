// What must not be shown: values from secret files, and of fields that the schema calls secret.
// Main thread; blocks on files.
#ifndef SLUICE_CORE_CONFIG_SECRETS_H_
#define SLUICE_CORE_CONFIG_SECRETS_H_

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace sluice {

inline constexpr size_t kMaxSecretBytes = 64 * 1024;
// Stands where a secret stood.
inline constexpr std::string_view kHidden = "<secret>";

// What the file says, without the newline at its end. Errors: it is no regular file, larger than
// kMaxSecretBytes, or cannot be read; they name it.
Result<std::string> ReadSecretFile(const std::string& path);

// The files of the ${file:...} in a configuration, as far as its text alone says, which may be
// broken: some may be named that are in comments.
std::vector<std::string> SecretFilesIn(std::string_view text);

// `text` with kHidden in place of each of `secrets`, also of one that was cut short as messages do.
// Those of fewer than 4 bytes stay: they are part of everything.
std::string WithoutSecrets(std::string text, const std::vector<std::string>& secrets);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_SECRETS_H_
