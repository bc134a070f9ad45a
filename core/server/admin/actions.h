// The actions on the server as a whole and on endpoints: /drain, /undrain, /reload, /restart,
// /stop, /logs/reopen, /endpoints/drain, /endpoints/enable.
#ifndef SLUICE_CORE_SERVER_ADMIN_ACTIONS_H_
#define SLUICE_CORE_SERVER_ADMIN_ACTIONS_H_

#include "core/server/admin/admin_control.h"
#include "core/server/admin/admin_table.h"

namespace sluice {

class Loop;

// All outlive the table's listener.
void AddActions(AdminTable& table, AdminControl& control, Loop& loop);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ADMIN_ACTIONS_H_
