// Package e2e has tests that run the program as a process of its own, as it is shipped: what they see of it is its pages, its
// log, its exit status and what the system says of it.
package e2e
