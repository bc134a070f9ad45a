// The policy of a cors filter, compiled from its config: who may call, and the header values that
// say so. Immutable, shared by workers.
#ifndef SLUICE_FILTERS_CORS_POLICY_H_
#define SLUICE_FILTERS_CORS_POLICY_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace re2 {
class RE2;
}

namespace sluice::cors {

class CorsConfig;

class Policy {
 public:
  // An error begins with the field it is about: "origins[0].exact: ...".
  static Result<Policy> Compile(const CorsConfig& config);
  Policy(Policy&&) noexcept;
  Policy& operator=(Policy&&) noexcept;
  ~Policy();

  // Is it the same for every origin, so that answers do not depend on it?
  bool any_origin() const { return any_origin_; }
  bool Allows(std::string_view origin) const;

  // What goes into the answer; empty: the field is not sent.
  struct Answer {
    std::string methods;
    std::string headers;
    std::string expose;
    std::string max_age;         // in seconds
    std::string preflight_vary;  // the request fields that the answer to a preflight depends on
    bool any_method = false;     // what was asked for is allowed, in place of `methods`
    bool any_header = false;
    bool credentials = false;
    bool private_network = false;
    bool forward_not_matching = true;
  };
  const Answer& answer() const { return answer_; }

 private:
  Policy();

  bool any_origin_ = false;
  std::vector<std::string> exact_;  // sorted
  std::vector<std::string> suffixes_;
  std::vector<std::unique_ptr<re2::RE2>> regexes_;
  Answer answer_;
};

}  // namespace sluice::cors

#endif  // SLUICE_FILTERS_CORS_POLICY_H_
