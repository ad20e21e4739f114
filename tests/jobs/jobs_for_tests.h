// Jobs as tests make them.
#pragma once

#include <string>

#include "jobs/job.h"

namespace limn {

inline JobRequest request_of(const std::string& client, const std::string& key = "",
                             bool preview = false) {
  JobRequest request;
  request.recipe = "name = \"limn\"\n";
  request.client = client;
  request.key = key;
  request.preview = preview;
  return request;
}

inline Job new_job(const JobRequest& request = request_of("somebody")) {
  Job job;
  job.id = new_job_id();
  job.request = request;
  job.created = 1;
  return job;
}

}  // namespace limn
