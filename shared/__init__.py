"""What every function is built from: the domain, the ports, and the one way to speak HTTP."""
