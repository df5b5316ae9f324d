"""What every command shares: groups, options, output, progress, errors."""
