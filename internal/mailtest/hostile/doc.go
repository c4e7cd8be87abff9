// Package hostile is a table of servers that a mail client must survive: hostile ones, broken ones, and correct ones with
// peculiarities. Each [Case] says how the server behaves and what a probe must report. The package doesn't import the probe;
// the tests of package probe and of the whole program use it.
//
// The groups of hostile servers follow the catalogue of "Why TLS is better without STARTTLS" (Poddebniak, Ising, Böck,
// Schinzel, USENIX Security 2021). The peculiar ones name the product, and where its behaviour was seen.
package hostile
