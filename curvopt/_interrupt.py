"""Ctrl-C that loses nothing: the first one lets the current iteration end, the second one interrupts at once."""
import signal
import threading


class CtrlC:
    """Context in which ``pressed`` tells whether Ctrl-C was hit. Outside the main thread it does nothing."""

    def __init__(self):
        self.pressed = False
        self._before = None

    def __enter__(self):
        if threading.current_thread() is threading.main_thread() \
                and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *exception):
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _handle(self, signum, frame):
        if self.pressed:
            raise KeyboardInterrupt
        self.pressed = True
