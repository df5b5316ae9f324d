"""The command line `tuning`: thin click commands over the domain; importing it costs nothing."""
