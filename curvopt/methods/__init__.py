"""One file a method, each with Params, State, init, kernels, step and the public class, in that order."""
