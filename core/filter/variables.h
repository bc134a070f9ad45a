// Variables: text with %variables% in it, compiled once, written out for a stream: what access
// logs, header changes and local replies say. README's table lists them.
//
//   %client_ip% %header(user-agent)% %response_header(x?y):20%   a percent sign: %%
//
// A number behind a colon cuts the value to so many bytes.
//
// Compiled on the main thread, immutable, shared by workers.
#ifndef SLUICE_CORE_FILTER_VARIABLES_H_
#define SLUICE_CORE_FILTER_VARIABLES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/arena.h"
#include "core/base/result.h"
#include "core/filter/stream_info.h"

namespace sluice {

class VariableWriter;
enum class VariableEscape : uint8_t;
struct VariableOperator;

// What a variable's value is, for typed formats such as JSON.
enum class VariableType : uint8_t { kText, kNumber };

class VariableText {
 public:
  // An error names the variable and, if one is near, the one that may have been meant.
  static Result<VariableText> Compile(std::string_view text);
  // The same, and what stands between the variables is escaped here, once for all.
  static Result<VariableText> Compile(std::string_view text, VariableEscape literals);

  VariableText(VariableText&&) noexcept;
  VariableText& operator=(VariableText&&) noexcept;
  ~VariableText();

  // Appends the text for this stream to `out`. A missing value is written as `missing`.
  void AppendTo(std::string& out, const StreamInfo& info, std::string_view missing = "-") const;
  // The same into a writer that is kept, with the values escaped (variable_writer.h).
  void WriteTo(VariableWriter& out, const StreamInfo& info, VariableEscape escape,
               std::string_view missing = "-") const;
  // Writes the value; false, and nothing, if there is none. REQUIRES: is_single().
  bool WriteValue(VariableWriter& out, const StreamInfo& info, VariableEscape escape) const;
  // The text in the stream's arena; a view straight into the stream where it is one
  // variable alone, or constant() where there is none.
  std::string_view Render(const StreamInfo& info, Arena& arena,
                          std::string_view missing = "") const;
  // No variable in it: its text is always the same.
  bool is_constant() const;
  std::string_view constant() const;
  // It is one variable and nothing else: then its type counts.
  bool is_single() const;
  VariableType type() const;
  // Does the variable have a value for this stream? REQUIRES: is_single().
  bool HasValue(const StreamInfo& info) const;

 private:
  VariableText();
  std::vector<VariableOperator> operators_;
};

// For the reference: every name, what it takes in brackets, and what it says.
struct VariableDescription {
  std::string_view name;
  std::string_view argument;
  std::string_view text;
};
const std::vector<VariableDescription>& AllVariables();

}  // namespace sluice

#endif  // SLUICE_CORE_FILTER_VARIABLES_H_
