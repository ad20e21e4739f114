// SQLite by its C API: the few functions that one transaction needs. A wrapper such as SQLiteCpp
// would save some 60 lines and hide the extended error codes, by which a full disk, a locked and a
// damaged file are told apart.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "jobs/sql.h"

namespace limn {

// Waits so long for others' locks.
inline constexpr std::chrono::milliseconds kSqlitePatience{10'000};

// Makes the file and the tables if they are not there. Throws Error as open_store does.
std::unique_ptr<SqlDatabase> open_sqlite(const std::string& path,
                                         std::chrono::milliseconds patience = kSqlitePatience);

}  // namespace limn
