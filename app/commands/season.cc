// limn season
#include "commands/commands.h"
#include "commands/paint_command.h"

namespace limn {
namespace {

constexpr const char* kSeasonDescription =
    R"(Give a photo the season, weather or time of day of another.

PHOTO stays a photograph: recipe 'season' keeps its shapes closely, starts from it, and compares
features some distance apart, so that snow, leaves and light come as wholes rather than as brush
strokes. EXAMPLE should show the same kind of scene: a forest for a forest. Masks keep sky with sky
and ground with ground.)";

constexpr const char* kSeasonExamples =
    R"(Examples:
  limn season summer.jpg winter.jpg
  limn season summer.jpg winter.jpg --strength 0.7
  limn season park.jpg autumn.jpg -o out.png --mask-content trees.png --mask-style leaves.png

Exit codes: as for 'limn paint'.)";

}  // namespace

void add_season_command(CLI::App& app, int& exit_code) {
  add_painting_command(app, exit_code, PaintingArguments::Task::season,
                       {"season", kSeasonDescription, kSeasonExamples});
}

}  // namespace limn
