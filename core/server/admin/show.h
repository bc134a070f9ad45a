// What pages that have both forms are made of: one JSON value, sent as it is or laid out as text.
#ifndef SLUICE_CORE_SERVER_ADMIN_SHOW_H_
#define SLUICE_CORE_SERVER_ADMIN_SHOW_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/server/admin/admin_answer.h"

namespace sluice {

// As JSON or as text, whichever is asked for.
AdminReply AdminShow(const AdminRequest& request, const nlohmann::ordered_json& json);

// An object is a line for each value, the names aligned; what stands inside of it is indented below
// its name. A list of objects is a table whose columns are the names of the first; of objects that
// have lists or objects in them, one below the other.
std::string TextOf(const nlohmann::ordered_json& json);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ADMIN_SHOW_H_
