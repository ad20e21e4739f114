// What a client asks for, checked: from a form or from JSON to a JobRequest. Everything is checked
// here that can be known without looking into a picture; that is for the painter, in a process of
// its own.
#pragma once

#include <string>

#include "jobs/files.h"
#include "jobs/job.h"
#include "serve/message.h"
#include "serve/settings.h"

namespace limn {

// Throws Problem: 400 (not JSON, a field given twice), 422 (an unknown field or flag, a wrong value
// or setting, inputs that are missing, unknown, too many or of another kind of job).
//
// The form's fields, or the object's keys:
//   kind      paint (the default), texture, inpaint, season, sweep
//   recipe    its name; the default is the kind's
//   settings  JSON: what differs from the recipe
//   flags     JSON: {"size": "512x256"} and the like, of the kind's command
//   preview   true: goes before jobs that are not
//   client    whom quotas count for
//   photo, painting, ...  pictures: files of a form, or the ids of uploads; of those that may occur
//             several times, a list
JobRequest read_job_request(const Request& request, const Files& files);
// The same of an object that is no request's whole body.
JobRequest job_request_of(const Json& json, const Files& files);

// Throws Problem (422), whose pointer begins with `pointer`: the recipe names files, or a network
// that this server has no weights of, or saves pictures on the way.
void check_recipe_of_client(const Recipe& recipe, const std::string& pointer);

}  // namespace limn
