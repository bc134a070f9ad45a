// What strings in the config must look like: the check behind each Form of units.proto.
#ifndef SLUICE_CORE_CONFIG_FORMS_H_
#define SLUICE_CORE_CONFIG_FORMS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/config/units.pb.h"

namespace sluice {

// What is wrong with `text`, such as `expected an address such as 127.0.0.1:8080, got "x"`, or "".
std::string CheckForm(config::Form form, std::string_view text);

// How such a text is called in messages and in the reference: "an address such as ...".
std::string_view FormName(config::Form form);

// A checked address, taken apart. `host` is an IP address or a name, without brackets; empty for a
// unix socket, whose path is in `path`.
struct AddressParts {
  std::string_view host;
  std::string_view path;
  uint16_t port = 0;
  bool is_ip = false;
};
// Splits "1.2.3.4:80", "[::1]:80", "name:80", "unix:/path" or "unix:@name".
std::optional<AddressParts> SplitAddress(std::string_view text);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_FORMS_H_
