// LineFormat: how a request becomes a line: a text or a JSON object with variables in it. Compiled
// on the main thread, immutable, shared by workers.
#ifndef SLUICE_FILTERS_ACCESS_LOG_LINE_FORMAT_H_
#define SLUICE_FILTERS_ACCESS_LOG_LINE_FORMAT_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/filter/stream_info.h"
#include "core/filter/variable_writer.h"
#include "core/filter/variables.h"

namespace sluice::access_log {

class AccessLogConfig;

class LineFormat {
 public:
  // Errors begin with the field's name: "text: ...".
  static Result<LineFormat> Compile(const AccessLogConfig& config);

  // Appends the line and its "\n". Whatever the values hold, it is one line, and of JSON, valid.
  void Write(VariableWriter& out, const StreamInfo& info) const;

 private:
  struct Member {
    std::string key;  // `,"name":`
    VariableText value;
  };
  using Fields = std::vector<std::pair<std::string, std::string>>;

  LineFormat() = default;
  static Result<LineFormat> CompileText(std::string_view text);
  static Result<LineFormat> CompileJson(const Fields& fields);
  void WriteJson(VariableWriter& out, const StreamInfo& info) const;

  std::vector<VariableText> text_;  // one, or none: JSON
  std::vector<Member> members_;
  bool omit_empty_ = false;
};

}  // namespace sluice::access_log

#endif  // SLUICE_FILTERS_ACCESS_LOG_LINE_FORMAT_H_
