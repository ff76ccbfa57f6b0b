"""Step-size rules that more than one method uses."""
