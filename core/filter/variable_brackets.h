// What the brackets of a variable may hold: parsers that fill in its operator. Inside of
// variable_operators.cc; main thread.
#ifndef SLUICE_CORE_FILTER_VARIABLE_BRACKETS_H_
#define SLUICE_CORE_FILTER_VARIABLE_BRACKETS_H_

#include <string_view>

#include "core/base/result.h"
#include "core/filter/variable_operators.h"

namespace sluice {

// Each says what it expected. `brackets` is empty if there were none.
using ParseBrackets = Result<void> (*)(std::string_view brackets, VariableOperator& op);

Result<void> ParseField(std::string_view brackets, VariableOperator& op);        // x, x?y
Result<void> ParseName(std::string_view brackets, VariableOperator& op);         // anything
Result<void> ParseEnvironment(std::string_view brackets, VariableOperator& op);  // NAME
Result<void> ParseMetadata(std::string_view brackets, VariableOperator& op);     // space:key
Result<void> ParseUtc(std::string_view brackets, VariableOperator& op);          // a time format
Result<void> ParseLocal(std::string_view brackets, VariableOperator& op);
Result<void> ParseSpan(std::string_view brackets, VariableOperator& op);  // from:to:unit

}  // namespace sluice

#endif  // SLUICE_CORE_FILTER_VARIABLE_BRACKETS_H_
