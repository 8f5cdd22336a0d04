// A device-mapper wrapper in Go at the benchmark's jobs: `wrapper JOB N RESULT`, as bench/peers.mjs starts it.
//
// Strategy: `encode` does what a thin wrapper does that leaves all to the standard library: words are
// escaped and joined by a strings.Builder, specs written by encoding/binary, targets gathered in a
// bytes.Buffer and then copied behind a header. (Such a wrapper has 16 KiB for them and no more; this one
// takes what it needs.) `encode-sized` is what one would write for speed: it counts first, allocates once,
// and stores each field where it belongs.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

const (
	name   = "bench"
	length = 2048

	headerSize = 312
	specSize   = 40
)

var order = binary.LittleEndian

type header struct {
	Version     [3]uint32
	DataSize    uint32
	DataStart   uint32
	TargetCount uint32
	OpenCount   int32
	Flags       uint32
	EventNr     uint32
	_           uint32
	Dev         uint64
	Name        [128]byte
	UUID        [129]byte
	_           [7]byte
}

type spec struct {
	SectorStart uint64
	Length      uint64
	Status      int32
	Next        uint32
	TargetType  [16]byte
}

type target struct {
	start, length uint64
	kind          string
	words         []string
	// The words as one text, which encode-sized takes as it is.
	parameters string
}

func linear(n int) []target {
	targets := make([]target, n)
	for i := range targets {
		first := uint64(i) * length
		words := []string{"253:3", strconv.FormatUint(2048+first, 10)}
		targets[i] = target{first, length, "linear", words, strings.Join(words, " ")}
	}
	return targets
}

func aligned(size int) int { return (size + 7) &^ 7 }

// put copies text into a field that ends in a NUL.
func put(field []byte, text string) error {
	if len(text) >= len(field) || strings.IndexByte(text, 0) >= 0 {
		return fmt.Errorf("%q does not fit", text)
	}
	copy(field, text)
	return nil
}

// join makes one text of words, escaped so that the kernel splits it back.
func join(words []string) (string, error) {
	var text strings.Builder
	for i, word := range words {
		if i > 0 {
			text.WriteByte(' ')
		}
		for at := 0; at < len(word); at++ {
			switch char := word[at]; char {
			case 0:
				return "", errors.New("a NUL in a parameter")
			case ' ', '\t', '\n', '\v', '\f', '\r', '\\':
				text.WriteByte('\\')
			}
			text.WriteByte(word[at])
		}
	}
	return text.String(), nil
}

func encode(targets []target) ([]byte, error) {
	var data bytes.Buffer
	for _, target := range targets {
		parameters, err := join(target.words)
		if err != nil {
			return nil, err
		}
		size := specSize + len(parameters) + 1
		spec := spec{
			SectorStart: target.start,
			Length:      target.length,
			Next:        uint32(aligned(size)),
		}
		if err := put(spec.TargetType[:], target.kind); err != nil {
			return nil, err
		}
		if err := binary.Write(&data, order, &spec); err != nil {
			return nil, err
		}
		data.WriteString(parameters)
		data.WriteByte(0)
		for ; size%8 != 0; size++ {
			data.WriteByte(0)
		}
	}
	head := header{
		Version:     [3]uint32{4, 0, 0},
		DataSize:    uint32(headerSize + data.Len()),
		DataStart:   headerSize,
		TargetCount: uint32(len(targets)),
	}
	if err := put(head.Name[:], name); err != nil {
		return nil, err
	}
	request := make([]byte, head.DataSize)
	*(*header)(unsafe.Pointer(&request[0])) = head
	copy(request[headerSize:], data.Bytes())
	return request, nil
}

func encodeSized(targets []target) ([]byte, error) {
	size := headerSize
	for i := range targets {
		size += specSize + aligned(len(targets[i].parameters)+1)
	}
	request := make([]byte, size)
	order.PutUint32(request[0:], 4)
	order.PutUint32(request[12:], uint32(size))
	order.PutUint32(request[16:], headerSize)
	order.PutUint32(request[20:], uint32(len(targets)))
	if err := put(request[48:176], name); err != nil {
		return nil, err
	}
	at := headerSize
	for i := range targets {
		target := &targets[i]
		room := specSize + aligned(len(target.parameters)+1)
		spec := request[at : at+room]
		order.PutUint64(spec[0:], target.start)
		order.PutUint64(spec[8:], target.length)
		order.PutUint32(spec[20:], uint32(room))
		if err := put(spec[24:specSize], target.kind); err != nil {
			return nil, err
		}
		if err := put(spec[specSize:], target.parameters); err != nil {
			return nil, err
		}
		at += room
	}
	return request, nil
}

// last is in sight of others: a result that nobody could look at need not be made.
var last []byte

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "wrapper:", err)
		os.Exit(1)
	}
}

func main() {
	jobs := map[string]func([]target) ([]byte, error){
		"encode":       encode,
		"encode-sized": encodeSized,
	}
	if len(os.Args) != 4 || jobs[os.Args[1]] == nil {
		must(errors.New("usage: wrapper JOB N RESULT"))
	}
	work := jobs[os.Args[1]]
	n, err := strconv.Atoi(os.Args[2])
	must(err)
	targets := linear(n)
	run := func(times int64) int64 {
		begin := time.Now()
		for i := int64(0); i < times; i++ {
			last, err = work(targets)
			must(err)
		}
		return time.Since(begin).Nanoseconds()
	}

	run(1)
	must(os.WriteFile(os.Args[3], last, 0o644))
	fmt.Println("ready")

	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		var what string
		var times, ns int64
		_, err := fmt.Sscan(orders.Text(), &what, &times)
		must(err)
		if what == "ms" {
			end := time.Now().Add(time.Duration(times) * time.Millisecond)
			times = 1
			ns = run(times)
			for time.Now().Before(end) {
				if ns < 5_000_000 {
					times *= 2
				}
				ns = run(times)
			}
		} else {
			ns = run(times)
		}
		fmt.Println(times, ns)
	}
}
