package config

import (
	"reflect"
	"slices"
	"strings"
)

// hint suggests what to write instead of an unknown key of t.
func hint(key string, t reflect.Type) string {
	if near := nearest(key, keys(t)); near != "" {
		return "did you mean " + near + "?"
	}
	for _, other := range []struct {
		raw   reflect.Type
		where string
	}{
		{reflect.TypeFor[rawModule](), "a module"},
		{reflect.TypeFor[rawAccount](), "an account"},
		{reflect.TypeFor[rawTLS](), "tls_config, in a module"},
		{reflect.TypeFor[rawConfig](), "the top level"},
	} {
		if fieldByKey(other.raw, key) >= 0 {
			return "it belongs to " + other.where
		}
	}
	return "the keys here are " + strings.Join(keys(t), ", ")
}

// keys returns the YAML keys of a struct, in its order; none for another type.
func keys(t reflect.Type) []string {
	var names []string
	if t.Kind() == reflect.Struct {
		for f := range t.Fields() {
			names = append(names, f.Tag.Get("yaml"))
		}
	}
	return names
}

// fieldByKey returns the number of the field with a YAML key, or -1.
func fieldByKey(t reflect.Type, key string) int { return slices.Index(keys(t), key) }

// nearest returns the word with the smallest distance to the given one, or "" where none is similar.
func nearest(given string, words []string) string {
	best, least := "", len(given)/3+2
	for _, word := range words {
		if d := distance(given, word); d < least {
			best, least = word, d
		}
	}
	return best
}

// distance returns the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(row[j]+1, row[j+1]+1, replace)
		}
	}
	return row[len(b)]
}
