// PostgreSQL by libpqxx, for several machines. Its tables lie in a schema of their own, "limn".
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "jobs/sql.h"

namespace limn {

// For so long, a call tries again while the server is away.
inline constexpr std::chrono::milliseconds kPostgresqlPatience{10'000};

// `where` is "postgresql://user:password@host/database". Makes the tables if they are not there.
// Throws Error as open_store does; at once if the server is not there now.
std::unique_ptr<SqlDatabase> open_postgresql(
    const std::string& where, std::chrono::milliseconds patience = kPostgresqlPatience);

}  // namespace limn
