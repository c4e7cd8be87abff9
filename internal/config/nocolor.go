package config

import "os"

// NoColor reports whether the user wants no colours (https://no-color.org), or the terminal has none.
func NoColor() bool { return os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" }
