#include "core/config/error.h"

#include <algorithm>
#include <tuple>

#include "core/base/one_line.h"
#include "core/base/strings.h"
#include "core/config/secrets.h"

namespace sluice {
std::string ConfigError::Text() const {
  std::string text = file;
  if (line > 0) text += StrCat({":", std::to_string(line), ":", std::to_string(column)});
  if (!path.empty()) text += StrCat({": ", path});
  return text + ": " + message;
}

void ConfigProblems::Add(Mark mark, std::string path, std::string message) {
  AddTo(errors_, mark, std::move(path), std::move(message));
}

void ConfigProblems::Warn(Mark mark, std::string path, std::string message) {
  AddTo(warnings_, mark, std::move(path), std::move(message));
}

void ConfigProblems::HideSecret(std::string secret) {
  if (std::find(secrets_.begin(), secrets_.end(), secret) == secrets_.end()) {
    secrets_.push_back(std::move(secret));
  }
}

void ConfigProblems::AddTo(List& list, Mark mark, std::string path, std::string message) {
  if (list.kept.size() == kMaxErrors) {
    ++list.dropped;
    return;
  }
  message = WithoutSecrets(std::move(message), secrets_);
  // Keys and libraries' messages may hold anything.
  list.kept.push_back(ConfigError{file_, mark.line, mark.column, OneLine(std::move(path)),
                                  OneLine(std::move(message))});
}

std::vector<ConfigError> ConfigProblems::TakeErrors() { return Take(errors_); }
std::vector<ConfigError> ConfigProblems::TakeWarnings() { return Take(warnings_); }

std::vector<ConfigError> ConfigProblems::Take(List& list) {
  std::vector<ConfigError> taken = std::move(list.kept);
  std::stable_sort(taken.begin(), taken.end(), [](const ConfigError& a, const ConfigError& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  if (list.dropped > 0) {
    taken.push_back(ConfigError{file_, 0, 0, "", StrCat({"and ", Decimal(list.dropped), " more"})});
  }
  list = List();
  return taken;
}

}  // namespace sluice
