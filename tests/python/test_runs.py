"""Paintings step by step."""
import threading

import numpy as np
import pytest

import limn
from conftest import QUICK


def test_a_run_is_an_iterator(photo, painting, painted):
    run = limn.Run(photo, painting, size=48, **QUICK)
    iterations = [(now.iteration, now.picture().shape) for now in run]
    assert iterations == [(number, (36, 48, 3)) for number in range(4)]
    assert next(run, None) is None
    np.testing.assert_array_equal(run.finish().picture, painted.picture)


def test_left_early(photo, painting):
    run = limn.Run(photo, painting, size=48, mask_keep=None, **QUICK)
    for now in run:
        if now.iteration == 1:
            picture = now.best_picture()
            break
    result = run.finish()
    assert len(result.history) == 2
    np.testing.assert_array_equal(result.picture, np.clip(picture, 0, 1))


def test_stopped_by_another_thread(photo, painting):
    run = limn.Run(photo, painting, size=48, iterations=1_000_000, plateau=0)
    threading.Timer(0.2, run.stop).start()
    for _ in run:
        pass
    assert run.finish().outcome == "stopped"


def test_used_by_one_thread_at_a_time(photo, painting):
    run = limn.Run(photo, painting, size=64, iterations=60, threads=1, plateau=0)
    refused = []

    def go_on():
        try:
            for _ in run:
                pass
        except RuntimeError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=go_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused and set(refused) == {"this run is being used by another thread"}


def test_finished(photo, painting):
    run = limn.Run(photo, painting, size=48, iterations=1, threads=1)
    first = next(run)
    run.finish()
    with pytest.raises(limn.UsageError, match="iteration 0 is gone"):
        first.picture()
    for again in (run.finish, lambda: next(run), lambda: run.save("x")):
        with pytest.raises(RuntimeError, match="this run is finished"):
            again()


def test_goes_on_from_a_checkpoint(photo, painting, painted, in_folder):
    run = limn.Run(photo, painting, size=48, **QUICK)
    next(run), next(run)
    run.save("state.limn")
    del run
    again = limn.paint(photo, painting, size=48, checkpoint="state.limn", **QUICK)
    np.testing.assert_array_equal(again.picture, painted.picture)
    assert len(again.history) == 4
    with pytest.raises(limn.FileError, match="state.limn"):
        limn.paint(painting, photo, size=48, checkpoint="state.limn", **QUICK)
    with pytest.raises(limn.FileError):
        limn.Run(photo, painting, size=48, **QUICK).save("no folder/state.limn")


@pytest.mark.parametrize("make", [
    lambda photo, painting: limn.Run.texture(painting, 48, **QUICK),
    lambda photo, painting: limn.Run.inpaint(photo, photo[..., 0] > 200, **QUICK),
    lambda photo, painting: limn.Run.season(photo, painting, size=48, **QUICK)])
def test_of_every_kind(make, photo, painting):
    run = make(photo, painting)
    assert [now.iteration for now in run] == [0, 1, 2, 3]
    assert run.finish().outcome == "finished"
