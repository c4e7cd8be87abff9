// Package hostile is a table of servers that a mail client must survive: captured ones, broken ones, and honest ones with
// habits of their own. Each [Case] says how the server behaves and what a probe of it must come to. The table knows
// nothing of the probe; its tests, and those of the whole program, hold themselves against it.
//
// The groups of captured servers follow the catalogue of "Why TLS is better without STARTTLS" (Poddebniak, Ising, Böck,
// Schinzel, USENIX Security 2021). The honest ones name the product, and where its habit was seen.
package hostile
