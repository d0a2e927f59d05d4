"""Keys of the terminal drive an arm."""
