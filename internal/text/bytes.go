package text

import "fmt"

// Bytes writes a size in binary units with two or three digits: 512 B, 1.5 KiB, 93 MiB.
func Bytes(n uint64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	size, unit := float64(n)/1024, 0
	for size >= 999.5 && unit < len(units)-1 {
		size, unit = size/1024, unit+1
	}
	decimals := 0
	if size < 9.95 {
		decimals = 1
	}
	return fmt.Sprintf("%.*f %ciB", decimals, size, units[unit])
}
