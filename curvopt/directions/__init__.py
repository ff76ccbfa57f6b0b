"""Search directions: kernels that more than one method uses."""
