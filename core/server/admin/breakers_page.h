// /breakers: what the breakers do and did last, and an operator's word to one of them.
#ifndef SLUICE_CORE_SERVER_ADMIN_BREAKERS_PAGE_H_
#define SLUICE_CORE_SERVER_ADMIN_BREAKERS_PAGE_H_

#include "core/server/admin/admin_table.h"
#include "core/upstream/breaker/breaker_board.h"

namespace sluice {

// Both outlive the table's listener.
void AddBreakersPage(AdminTable& table, BreakerBoard& breakers);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ADMIN_BREAKERS_PAGE_H_
