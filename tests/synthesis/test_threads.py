"""Work in threads, in order."""

import threading
import time

import cv2
import pytest

from vsdmot.synthesis.threads import in_order


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_order_whichever_is_done_first(threads):
    def work(k):
        time.sleep(0.01 * (k % 3))
        return k * k

    assert list(in_order(work, range(20), threads)) == [k * k for k in range(20)]


def test_items_are_taken_as_they_are_needed():
    taken = []

    def items():
        for k in range(100):
            taken.append(k)
            yield k

    results = in_order(lambda k: k, items(), 2)
    assert next(results) == 0
    assert len(taken) <= 6
    results.close()
    assert len(taken) <= 6


def test_several_work_at_a_time_and_opencv_s_threads_come_back():
    before = cv2.getNumThreads()
    together = threading.Barrier(2, timeout=20)
    assert list(in_order(lambda k: (together.wait(), cv2.getNumThreads())[1], range(2), 2)) == [1, 1]
    assert cv2.getNumThreads() == before


def test_an_error_reaches_the_caller_and_the_threads_end():
    def work(k):
        if k == 3:
            raise ValueError("third")
        return k

    with pytest.raises(ValueError, match="third"):
        list(in_order(work, range(1000), 2))
    assert cv2.getNumThreads() >= 1
