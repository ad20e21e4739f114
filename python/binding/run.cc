// Paintings step by step: pictures, runs and what becomes of them.
#include <limn/tasks.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "binding.h"

namespace limn::python {
namespace {

std::vector<Image> images_of(const std::vector<Array>& pictures) {
  std::vector<Image> images;
  images.reserve(pictures.size());
  for (const Array& picture : pictures) images.push_back(image_of(picture));
  return images;
}

const char* outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::finished:
      return "finished";
    case Outcome::converged:
      return "converged";
    case Outcome::out_of_time:
      return "out of time";
    case Outcome::stopped:
      return "stopped";
    case Outcome::failed:
      return "failed";
  }
  return "?";
}

// (iteration, iterations, seconds, losses, level, width, height)
py::tuple tuple_of(const Progress& now) {
  return py::make_tuple(now.iteration, now.iterations, now.seconds, python::tuple_of(now.losses),
                        now.level, now.width, now.height);
}

// (iteration, seconds, stage, width, height, losses)
py::tuple tuple_of(const IterationRecord& record) {
  return py::make_tuple(record.iteration, record.seconds, record.stage, record.width, record.height,
                        python::tuple_of(record.losses));
}

py::dict dict_of(const Painted& painted) {
  py::list history;
  for (const IterationRecord& record : painted.history) history.append(tuple_of(record));
  py::dict dict;
  dict["picture"] = array_of(painted.picture);
  dict["outcome"] = outcome_name(painted.outcome);
  dict["iteration"] = painted.iteration;
  dict["best_iteration"] = painted.best_iteration;
  dict["rejected_steps"] = painted.rejected_steps;
  dict["unchanged"] = painted.unchanged;
  dict["seconds"] = painted.seconds;
  dict["history"] = history;
  return dict;
}

// A run that threads of Python may share: one at a time uses it, with the interpreter's lock
// released. All members are read and written under that lock.
class SharedRun {
 public:
  // Takes the pictures. With a checkpoint, goes on from there.
  SharedRun(const Model& model, Pictures& given, const Recipe& recipe, const Budget& budget,
            const std::optional<std::string>& checkpoint) {
    Pictures pictures = std::move(given);
    const py::gil_scoped_release unlocked;
    const Plan plan = make_plan(model, sizes_of(pictures), recipe, budget);
    run_ = checkpoint ? std::make_unique<Run>(model, std::move(pictures), plan, *checkpoint)
                      : std::make_unique<Run>(model, std::move(pictures), plan);
  }

  bool has_begun() {
    return alone([](Run& run) { return run.has_begun(); });
  }
  bool step() {
    return alone([](Run& run) { return run.step(); });
  }
  py::tuple now() {
    const Progress* now = alone([](Run& run) { return &run.now(); });
    return tuple_of(*now);
  }
  Array picture(bool best) {
    return array_of(alone([best](Run& run) {
      const Progress& now = run.now();
      return best ? now.best_picture() : now.picture();
    }));
  }
  void save(const std::string& path) {
    alone([&](Run& run) { run.save(path); });
  }
  // May be called while another thread is in step(): the next step is not taken.
  void stop() { stopped_ = true; }

  py::dict finish() {
    const Painted painted = alone([](Run& run) { return run.finish(); });
    run_.reset();
    return dict_of(painted);
  }

 private:
  // Calls work(run), unlocked, unless another thread uses the run.
  template <typename Work>
  std::invoke_result_t<const Work&, Run&> alone(const Work& work) {
    if (!run_) throw std::runtime_error("this run is finished");
    if (used_) throw std::runtime_error("this run is being used by another thread");
    if (stopped_) run_->stop();
    const Use use(used_);
    const py::gil_scoped_release unlocked;
    return work(*run_);
  }

  struct Use {
    explicit Use(bool& flag) : used(flag) { used = true; }
    Use(const Use&) = delete;
    ~Use() { used = false; }
    bool& used;
  };

  std::unique_ptr<Run> run_;  // null: finished
  bool used_ = false, stopped_ = false;
};

}  // namespace

void add_run(py::module_& module) {
  py::class_<Pictures>(module, "Pictures")
      .def(py::init([](const Array& photo) {
        return Pictures{image_of(photo), {}, {}, {}};
      }))
      .def_static(
          "of_texture",
          [](int width, int height) {
            return texture_pictures({}, {.height = height, .width = width});
          },
          Unlocked())
      .def("add_style",
           [](Pictures& pictures, const std::vector<Array>& paintings,
              const std::optional<Array>& from, const std::optional<Array>& to) {
             pictures.styles.push_back({images_of(paintings), mask_of(from), mask_of(to)});
           })
      .def("keep", [](Pictures& pictures, const Array& mask) { pictures.keep = mask_of(mask); })
      .def("begin_with",
           [](Pictures& pictures, const Array& initial) { pictures.initial = image_of(initial); })
      .def("cut_hole", [](Pictures& pictures, const Array& hole, bool from_itself) {
        const Mask mask = mask_of(hole);
        const py::gil_scoped_release unlocked;
        cut_hole(pictures, mask, from_itself);
      });
  module.def("with_periods", &with_periods, Unlocked());

  py::class_<SharedRun>(module, "Run")
      .def(py::init([](const Model& model, Pictures& pictures, const Recipe& recipe,
                       std::optional<double> memory, int tile,
                       const std::optional<std::string>& checkpoint) {
        // As the command does: in tiles of a given size there is no other limit.
        const double machine = tile == 0 ? machine_budget().bytes : 0;
        return std::make_unique<SharedRun>(model, pictures, recipe,
                                           Budget{memory.value_or(machine), tile, 1}, checkpoint);
      }))
      .def("has_begun", &SharedRun::has_begun)
      .def("step", &SharedRun::step)
      .def("now", &SharedRun::now)
      .def("picture", &SharedRun::picture)
      .def("save", &SharedRun::save)
      .def("stop", &SharedRun::stop)
      .def("finish", &SharedRun::finish);
}

}  // namespace limn::python
