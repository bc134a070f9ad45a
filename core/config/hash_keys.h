// HashSource: a value of a request, as a `HashKey` names it. HashKeys: several, in order, for
// balancing by hash. Owned by a route or a cluster; immutable, read by all workers. Views are of
// the configuration.
#ifndef SLUICE_CORE_CONFIG_HASH_KEYS_H_
#define SLUICE_CORE_CONFIG_HASH_KEYS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/config/route_input.h"

namespace google::protobuf {
template <typename T>
class RepeatedPtrField;
}

namespace sluice {
namespace config {
class HashKey;
}

class HashSource {
 public:
  HashSource() = default;  // of nothing
  // Keeps a copy.
  explicit HashSource(const config::HashKey& key);

  // Nothing where the request does not have it.
  std::optional<std::string_view> Find(const RouteInput& input) const;
  const std::string& name() const { return name_; }

 private:
  enum class Kind : uint8_t { kNone, kHeader, kCookie, kQuery, kClientAddress };

  Kind kind_ = Kind::kNone;
  std::string name_;
};

class HashKeys {
 public:
  struct Key {
    HashSource source;
    // A cookie that a request without it is given.
    bool given = false;
    Nanos ttl = 0;
    std::string path;
  };
  struct Found {
    std::optional<uint64_t> hash;
    // The request has nothing to hash and is to be given this cookie, whose value is to be hashed.
    const Key* give = nullptr;
  };

  HashKeys() = default;
  explicit HashKeys(const google::protobuf::RepeatedPtrField<config::HashKey>& keys);

  bool empty() const { return keys_.empty(); }
  // The first that the request has, or is given.
  Found Find(const RouteInput& input) const;

 private:
  std::vector<Key> keys_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_HASH_KEYS_H_
