// Package netns runs a test in network, mount and process namespaces of its own, where it may break whatever it likes:
// packets are dropped and refused by nftables, connections are killed, names are resolved by a server of the test's, and
// a link delays what crosses it. The machine's own network and files are never touched, and all is gone with the process.
//
// Only tests import this package, on Linux.
package netns
