// VariableOperator: one variable of a compiled text, or the literal text between two: a function
// pointer over StreamInfo and what its brackets said. Inside of variables.h; nobody else needs it.
#ifndef SLUICE_CORE_FILTER_VARIABLE_OPERATORS_H_
#define SLUICE_CORE_FILTER_VARIABLE_OPERATORS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/filter/stream_info.h"
#include "core/filter/time_format.h"
#include "core/filter/variables.h"

namespace sluice {

struct VariableOperator {
  // What a TextFunction writes at most.
  static constexpr size_t kMaxText = 192;
  static_assert(kMaxText >= TimeFormat::kMaxText && kMaxText >= Address::kMaxText);

  // These say whether there is a value. A view lives as long as the stream.
  using ViewFunction = bool (*)(const VariableOperator&, const StreamInfo&, std::string_view& out);
  using NumberFunction = bool (*)(const VariableOperator&, const StreamInfo&, uint64_t& out);
  // Writes plain ASCII to `out`, returns the end; null: no value.
  using TextFunction = char* (*)(const VariableOperator&, const StreamInfo&, char* out);
  // A time of the stream, which may be 0.
  using TimeMember = Nanos StreamInfo::*;

  enum class Kind : uint8_t { kLiteral, kView, kNumber, kText };

  Kind kind = Kind::kLiteral;
  HeaderId header = HeaderId::kOther;
  HeaderId fallback = HeaderId::kOther;
  uint32_t truncate = UINT32_MAX;
  union {
    ViewFunction view = nullptr;
    NumberFunction number;
    TextFunction write;
  };
  // What the brackets held.
  std::string text;
  std::string other;  // after the question mark or the colon
  TimeMember from = nullptr;
  TimeMember to = nullptr;
  Nanos unit = kMillisecond;
  std::unique_ptr<const TimeFormat> time;

  VariableType type() const {
    return kind == Kind::kNumber ? VariableType::kNumber : VariableType::kText;
  }
};

// The operator of a variable. `brackets` is null if there were none. Errors name the variable.
Result<VariableOperator> MakeVariable(std::string_view name, const std::string_view* brackets);

}  // namespace sluice

#endif  // SLUICE_CORE_FILTER_VARIABLE_OPERATORS_H_
