"""Line searches: routines ``(oracle, x, f, d, slope, ...) -> (alpha, f_new, found)`` that leave the point in `out`."""
