#include "core/upstream/session_name.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "core/base/check.h"
#include "core/base/strings.h"

namespace sluice {
namespace {

constexpr size_t kNameBytes = 16;

}  // namespace

std::string SessionName(std::string_view key, std::string_view cluster, std::string_view endpoint) {
  // Names of clusters have no line breaks.
  const std::string text = StrCat({"session\n", cluster, "\n", endpoint});
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  const unsigned char* made =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
  CHECK(made != nullptr && size >= kNameBytes);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string name;
  for (size_t i = 0; i < kNameBytes; ++i) {
    name += kDigits[mac[i] >> 4];
    name += kDigits[mac[i] & 15];
  }
  return name;
}

}  // namespace sluice
