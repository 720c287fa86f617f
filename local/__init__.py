"""The whole platform in one place: every function on one port, the dispatcher and the sweep's timer."""
