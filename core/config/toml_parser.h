// TOML to a Node tree, by toml++.
#ifndef SLUICE_CORE_CONFIG_TOML_PARSER_H_
#define SLUICE_CORE_CONFIG_TOML_PARSER_H_

#include <string_view>

#include "core/config/node.h"

namespace sluice {

// Keys keep the order in which they stand in the text.
ParseResult ParseToml(std::string_view text);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_TOML_PARSER_H_
