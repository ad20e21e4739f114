// A job as a row of a database, and the tables: the same in SQLite and PostgreSQL.
#pragma once

#include <string>
#include <vector>

#include "jobs/job.h"
#include "jobs/sql.h"

namespace limn {

// Raised when the tables change; a database with a larger one is left alone.
inline constexpr int kSchemaVersion = 1;

// Makes the tables where there are none.
void make_tables(SqlTransaction& transaction);

// "id, state, ..." and "$1, $2, ...": the columns, the job's id first, and as many values.
const std::string& job_columns();
const std::string& job_values();
// "state = $2, ..." of all but the id.
const std::string& job_assignments();

SqlRow row_of(const Job& job);
// Throws Error (file) if it is not such a row.
Job job_of(const SqlRow& row);

// The text as databases take it: valid UTF-8 without zero bytes, others replaced. What a painter
// said when it failed may be anything.
std::string storable(const std::string& text);

}  // namespace limn
