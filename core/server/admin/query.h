// Query: the names and values of a URL's query, decoded. A value.
#ifndef SLUICE_CORE_SERVER_ADMIN_QUERY_H_
#define SLUICE_CORE_SERVER_ADMIN_QUERY_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

class Query {
 public:
  // As forms write it: "a=1&b=x+y&c%5B%5D=2". A "%" that begins no pair of hex digits is itself.
  explicit Query(std::string_view text);

  bool Has(std::string_view name) const;
  // The first value; empty if there is none.
  std::string_view Get(std::string_view name) const;
  std::vector<std::string> All(std::string_view name) const;
  // In order.
  const std::vector<std::pair<std::string, std::string>>& pairs() const { return pairs_; }

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ADMIN_QUERY_H_
