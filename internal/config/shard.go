package config

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// maxShards is the highest Shard.Total.
const maxShards = 10000

// A Shard is the part of the accounts that one of several exporters probes. All of them read the same configuration.
type Shard struct {
	// Index is from 0 to Total-1. Total is at least 1.
	Index, Total int
}

// Has reports whether the account of that name belongs to the shard. It belongs to exactly one of Total: that with the
// highest weight (rendezvous hashing, Thaler and Ravishankar 1996), which depends on the name and the Index only. So an additional
// shard takes its accounts evenly from all others, and none moves between those. The weights must never change: another
// function would move accounts.
func (s Shard) Has(name string) bool {
	sum := sha256.Sum256([]byte(name))
	seed := binary.BigEndian.Uint64(sum[:])
	own := weight(seed, s.Index)
	for i := range s.Total {
		if w := weight(seed, i); w > own || w == own && i < s.Index {
			return false
		}
	}
	return true
}

// weight returns output i of SplitMix64 with this seed (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators,
// 2014).
func weight(seed uint64, i int) uint64 {
	z := seed + uint64(i+1)*0x9e3779b97f4a7c15 //nolint:gosec // i is small and not negative.
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// readShard reads the flags shard and total-shards; without them, there is one shard.
func (l *loader) readShard() {
	total, index := "1", "0"
	if f := lookupFlag(l.flags, "total-shards"); f != nil {
		total = f.Value.String()
	}
	if f := lookupFlag(l.flags, "shard"); f != nil {
		index = f.Value.String()
	}
	reportError := func(flag, format string, args ...any) {
		l.diagnostics.add(&diagnostic{source: "--" + flag, text: fmt.Sprintf(format, args...)})
	}
	s := Shard{Total: 1}
	var err error
	if s.Total, err = strconv.Atoi(total); err != nil || s.Total < 1 || s.Total > maxShards {
		reportError("total-shards", "must be a whole number from 1 to %d", maxShards)
		return
	}
	if index == "auto" {
		host, hostErr := os.Hostname()
		if index, err = ordinal(host); err != nil || hostErr != nil {
			reportError("shard", "%v", errors.Join(hostErr, err))
			return
		}
	}
	if s.Index, err = strconv.Atoi(index); err != nil || s.Index < 0 || s.Index >= s.Total {
		reportError("shard", "must be auto, or a whole number from 0 to %d: one less than --total-shards", s.Total-1)
		return
	}
	l.shard = s
}

// ordinal returns the number at the end of the host name of a StatefulSet's pod: 3 for imap-exporter-3.
func ordinal(host string) (string, error) {
	host, _, _ = strings.Cut(host, ".")
	dash := strings.LastIndexByte(host, '-')
	number := host[dash+1:]
	if _, err := strconv.ParseUint(number, 10, 31); dash < 0 || err != nil {
		return "", fmt.Errorf("auto needs a host name that ends in a number, as StatefulSets give (imap-exporter-3), and this is %s", host)
	}
	return number, nil
}
