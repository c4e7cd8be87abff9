// Package e2e tests the program from outside: it runs as a process of its own, as it is shipped, and the tests look at its
// pages, its log, its exit status, and the memory, CPU time and files that the system reports for it.
package e2e
