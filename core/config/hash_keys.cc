#include "core/config/hash_keys.h"

#include "core/config/hash_key.pb.h"
#include "core/config/route_strings.h"
#include "core/config/route_values.h"

namespace sluice {

HashSource::HashSource(const config::HashKey& key) {
  switch (key.source_case()) {
    case config::HashKey::kHeader:
      kind_ = Kind::kHeader;
      name_ = key.header();
      break;
    case config::HashKey::kCookie:
      kind_ = Kind::kCookie;
      name_ = key.cookie();
      break;
    case config::HashKey::kQuery:
      kind_ = Kind::kQuery;
      name_ = key.query();
      break;
    case config::HashKey::kClientIp:
      if (key.client_ip()) kind_ = Kind::kClientAddress;
      break;
    case config::HashKey::SOURCE_NOT_SET:
      break;
  }
}

std::optional<std::string_view> HashSource::Find(const RouteInput& input) const {
  switch (kind_) {
    case Kind::kNone:
      break;
    case Kind::kHeader:
      return input.Header(name_);
    case Kind::kCookie:
      return FindCookie(input, name_);
    case Kind::kQuery:
      return FindQueryParameter(input.query, name_);
    case Kind::kClientAddress:
      if (!input.ClientAddress().empty()) return input.ClientAddress();
      break;
  }
  return std::nullopt;
}

HashKeys::HashKeys(const google::protobuf::RepeatedPtrField<config::HashKey>& keys) {
  for (const config::HashKey& key : keys) {
    keys_.push_back({HashSource(key), key.has_ttl(), key.ttl(),
                     key.path().empty() ? std::string("/") : key.path()});
  }
}

HashKeys::Found HashKeys::Find(const RouteInput& input) const {
  for (const Key& key : keys_) {
    const std::optional<std::string_view> value = key.source.Find(input);
    if (value) return {RouteHash(*value), nullptr};
    if (key.given) return {std::nullopt, &key};
  }
  return {};
}

}  // namespace sluice
