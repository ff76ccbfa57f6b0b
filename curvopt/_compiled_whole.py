"""A loop and all its routines as one piece of machine code.

Numba optimises each function by itself and makes machine code of it, together with all it calls, then links it into its
callers and does the same there: a routine five calls deep is compiled five times, and between the copies that remain, the
state travels by value, some hundred words a call. Here a routine stays a draft, LLVM's text as it was written; the loop
it ends up in is optimised once, as a whole whose parts nobody else can call. Measured: half the time to compile
TruncatedNewton, and two thirds of the time of a solve at n = 3. Which operations are done, and so every bit, is the same.
"""
from llvmlite.binding import Linkage
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.environment import lookup_environment


class _Draft(JITCodeLibrary):
    """Code to be linked into a loop: neither optimised nor turned into machine code."""

    def _optimize_final_module(self):
        pass

    def _finalize_final_module(self):
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name):
        return 0

    @property
    def codegen(self):
        return _NoMachineCode


class _NoMachineCode:
    """What numba asks of the code generator once a function is compiled."""

    @staticmethod
    def set_env(name, environment):
        pass    # there is no global variable yet


class _Whole(JITCodeLibrary):
    """Code that no other library calls into, with everything that it calls."""

    def _alone(self):
        for function in self._final_module.functions:
            # The linkage of what came from other libraries. Private, not internal: the linker of LLVM's just-in-time compiler
            # goes by names, and takes an internal function of one library for the function of the same name in another.
            if not function.is_declaration and function.linkage == Linkage.linkonce_odr \
                    and not function.name.startswith("NRT_"):
                function.linkage = "private"

    def _optimize_final_module(self):
        self._alone()
        super()._optimize_final_module()

    def _finalize_final_module(self):
        super()._finalize_final_module()
        for variable in self._final_module.global_variables:
            environment = lookup_environment(variable.name)
            if environment is not None:
                self._codegen.set_env(variable.name, environment)


class _Sized(_Whole):
    """The same with sizes that are constants (`_compiled_shapes`)."""

    def _optimize_final_module(self):
        self._alone()
        # Once to bring the parts together, with no loop spread over vector registers, and once more with the constants that are
        # then known in every part.
        passes, builder = self._codegen._module_pass_manager(opt=2, loop_vectorize=False, slp_vectorize=False)
        passes.run(self._final_module, builder)
        super()._optimize_final_module()


class _Kernel(JITCodeLibrary):
    """Machine code for calls from Python, and for loops the text as it was written, to be optimised where it is used."""

    def _optimize_final_module(self):
        text = self._final_module.clone()
        for function in text.functions:
            if not function.is_declaration and function.linkage == Linkage.external:
                function.linkage = "linkonce_odr"
        self._shared_module = text
        super()._optimize_final_module()


class _Pipeline(Compiler):
    def compile_extra(self, function):
        self.state.library = self.library(self.state.targetctx.codegen(), function.__qualname__)
        self.state.library.enable_object_caching()
        return super().compile_extra(function)


class DraftPipeline(_Pipeline):
    library = _Draft


class WholePipeline(_Pipeline):
    library = _Whole


class SizedPipeline(_Pipeline):
    library = _Sized


class KernelPipeline(_Pipeline):
    library = _Kernel


KERNEL = {"pipeline_class": KernelPipeline}
DRAFT = {"pipeline_class": DraftPipeline, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
WHOLE = {"pipeline_class": WholePipeline}
SIZED = {"pipeline_class": SizedPipeline}
