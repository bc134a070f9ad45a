// YAML and JSON to a Node tree, by yaml-cpp, whose marks tell line and column of both.
#ifndef SLUICE_CORE_CONFIG_YAML_PARSER_H_
#define SLUICE_CORE_CONFIG_YAML_PARSER_H_

#include <string_view>

#include "core/config/node.h"

namespace sluice {

// One document. An empty one is an empty map. Anchors and aliases are expanded.
ParseResult ParseYaml(std::string_view text);

// JSON; comments and trailing commas are let pass.
ParseResult ParseJson(std::string_view text);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_YAML_PARSER_H_
