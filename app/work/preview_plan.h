// What a preview is: the painting that a job would be, with all its pictures shrunk alike.
//
//   sizes       photo and paintings are as large as the job would have them, times one factor, so
//               that strokes keep their size relative to the photo. Distances that a recipe states
//               in pixels (shifts) shrink with them
//   pyramid     begins at 128 pixels at the latest, where the first picture comes from: an
//               iteration there takes a hundredth of a second
//   iterations  as many as change what one sees at such sizes; no longer than half a minute
//
// Weights, layers, colours, masks and stages are the job's. The border stays as it is: it keeps the
// network's zeros, which reach as many pixels at every size, out of the picture.
#pragma once

#include <limn/limn.h>

namespace limn {

// `own`: the pictures' sizes in their files. `size`: of the longest side; a larger picture is
// shrunk, a smaller one is not enlarged. Throws Error like make_plan.
Plan plan_preview(const Model& model, const PictureSizes& own, const Recipe& recipe, int size);

}  // namespace limn
