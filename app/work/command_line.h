// A job as a command line of limn's. Nothing that a client wrote becomes a path: files are named by
// their ids, and get the client's names, made harmless, as links in the job's own folder, so that
// messages, reports and the picture's metadata show them.
//
//   FOLDER/jobs/ID/inputs/photo.jpg -> ../../../files/ID
//   FOLDER/jobs/ID/recipe.toml
#pragma once

#include <string>
#include <vector>

#include "jobs/files.h"
#include "jobs/job.h"

namespace limn {

// The files of a job's folder.
inline constexpr const char* kResultFile = "result.png";
inline constexpr const char* kPreviewFile = "preview.jpg";
inline constexpr const char* kProgressFile = "progress.json";
inline constexpr const char* kReportFile = "report.json";
inline constexpr const char* kLogFile = "log.txt";

// How a painter is to paint.
struct PaintingTerms {
  int threads = 1;
  double checkpoint = 60;  // seconds between states
  double memory = 0;       // bytes that it may take; 0: as limn itself decides
};

// For its temporary files.
inline constexpr const char* kScratchFolder = "scratch";

// Makes the links and the recipe's file anew, and removes what a killed painter has left half
// written. Throws Error: usage (an input that is no id or no
// longer here, a recipe that names files), file, resources.
void prepare_folder(const Files& files, const Job& job, const PaintingTerms& terms);

// The arguments after the program's name, to be run in the job's folder. Throw Error (usage): a
// flag or an input that this kind of job does not have.
std::vector<std::string> arguments_to_paint(const Job& job, const PaintingTerms& terms);
// From the state in its folder: for jobs that keep one.
std::vector<std::string> arguments_to_resume(const PaintingTerms& terms);
// Only print the plan, as JSON, to standard output.
std::vector<std::string> arguments_to_plan(const Job& job, const PaintingTerms& terms);

// Whether a job of this kind keeps its state.
bool keeps_state(JobKind kind);

// The name that a client gave a file, as one that may stand in a folder: without folders, control
// characters and leading dots, not too long, never empty, and in UTF-8.
std::string harmless_name(const std::string& name);

}  // namespace limn
