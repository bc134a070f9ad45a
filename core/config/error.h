// What is wrong in a config file, and where. Collected so that all faults are told at once.
#ifndef SLUICE_CORE_CONFIG_ERROR_H_
#define SLUICE_CORE_CONFIG_ERROR_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "core/config/node.h"

namespace sluice {

struct ConfigError {
  std::string file;
  int line = 0;  // from 1; 0: not about a place in the file
  int column = 0;
  std::string path;  // listeners[0].filters[1].rate_limit.rate; empty: the file as a whole
  std::string message;

  // conf/edge.yaml:14:9: listeners[0].filters[1].rate_limit.rate: expected a rate such as 100/s,
  // got "100"
  std::string Text() const;
};

// Gathers errors and warnings about one file.
class ConfigProblems {
 public:
  explicit ConfigProblems(std::string file) : file_(std::move(file)) {}

  void Add(Mark mark, std::string path, std::string message);
  void Warn(Mark mark, std::string path, std::string message);

  // From here on no message holds this text.
  void HideSecret(std::string secret);
  const std::vector<std::string>& secrets() const { return secrets_; }
  // A value of a field that the schema calls secret stands there.
  void NoteSecretAt(Mark mark) { secret_marks_.push_back(mark); }
  const std::vector<Mark>& secret_marks() const { return secret_marks_; }

  // More errors are only counted: no need to word them well.
  bool full() const { return errors_.kept.size() == kMaxErrors; }
  bool has_errors() const { return !errors_.kept.empty(); }
  const std::string& file() const { return file_; }
  // In the order of the file; beyond kMaxErrors they are only counted, in a last line.
  std::vector<ConfigError> TakeErrors();
  std::vector<ConfigError> TakeWarnings();

 private:
  static constexpr size_t kMaxErrors = 100;

  struct List {
    std::vector<ConfigError> kept;
    size_t dropped = 0;
  };
  void AddTo(List& list, Mark mark, std::string path, std::string message);
  std::vector<ConfigError> Take(List& list);

  std::string file_;
  std::vector<std::string> secrets_;
  std::vector<Mark> secret_marks_;
  List errors_;
  List warnings_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ERROR_H_
