// What `limn serve` starts of itself, in sandboxes, and what tests ask it: hidden subcommands.
#include <memory>
#include <string>

#include "commands/commands.h"
#include "commands/exit_code.h"
#include "serve/conversion.h"
#include "serve/routes.h"
#include "serve/settings.h"
#include "serve/upload_about.h"
#include "show/console.h"
#include "work/live_painter.h"

namespace limn {
namespace {

// `limn serve convert`: what Results starts, to have a picture converted in a process of its own.
void add_convert(CLI::App& serve, int& exit_code) {
  struct Convert {
    std::string from, to;
    Conversion conversion;
  };
  CLI::App* command = serve.add_subcommand("convert", "Convert a result; for limn's own use");
  command->group("");
  const auto convert = std::make_shared<Convert>();
  command->add_option("FROM", convert->from)->required();
  command->add_option("TO", convert->to)->required();
  command->add_option("--format", convert->conversion.format)->required();
  command->add_option("--bits", convert->conversion.bits);
  command->add_option("--quality", convert->conversion.quality);
  command->add_option("--side", convert->conversion.side);
  command->callback([convert, &exit_code] {
    convert_picture(convert->from, convert->to, convert->conversion);
    exit_code = kSuccess;
  });
}

// `limn serve about`: what describing_process starts.
void add_about(CLI::App& serve, int& exit_code) {
  CLI::App* command = serve.add_subcommand("about", "Describe a picture; for limn's own use");
  command->group("");
  const auto path = std::make_shared<std::string>();
  command->add_option("FILE", *path)->required();
  command->callback([path, &exit_code] {
    print(describe_picture(*path));
    exit_code = kSuccess;
  });
}

// `limn serve live`: a painter of previews, which LivePainters starts.
void add_live(CLI::App& serve, int& exit_code) {
  CLI::App* command = serve.add_subcommand("live", "Paint previews; for limn's own use");
  command->group("");
  const auto files = std::make_shared<std::string>();
  command->add_option("FILES", *files)->required();
  command->callback([files, &exit_code] {
    paint_live(*files);
    exit_code = kSuccess;
  });
}

// `limn serve routes`: the table of routes as JSON, which tests hold against docs/openapi.yaml.
void add_routes(CLI::App& serve, int& exit_code) {
  CLI::App* command = serve.add_subcommand("routes", "Print the table of routes; for tests");
  command->group("");
  command->callback([&exit_code] {
    Json table = Json::array();
    for (const Route& route : routes()) {
      table.push_back({{"method", route.method},
                       {"path", route.path},
                       {"operation", route.name},
                       {"body", route.body != BodyKind::none},
                       {"open", route.open},
                       {"statuses", route.statuses.all()}});
    }
    print(Json{{"routes", table}, {"any", kAnyStatuses.all()}}.dump(1) + "\n");
    exit_code = kSuccess;
  });
}

}  // namespace

void add_own_serve_commands(CLI::App& serve, int& exit_code) {
  add_convert(serve, exit_code);
  add_about(serve, exit_code);
  add_live(serve, exit_code);
  add_routes(serve, exit_code);
}

}  // namespace limn
