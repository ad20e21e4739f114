// The store's verbs as SQL, over either database.
#pragma once

#include <memory>

#include "jobs/sql.h"
#include "jobs/store.h"

namespace limn {

std::unique_ptr<Store> store_in(std::unique_ptr<SqlDatabase> database);

}  // namespace limn
